//! Request, response and language codes. Each is a number with names, so a code that a newer peer invents passes
//! through unharmed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares a newtype over a number. Its known values carry Apache's names: as constants, in `name()` and in `Display`.
macro_rules! named_codes {
    ($(#[$doc:meta])* $type:ident($repr:ty) { $($name:ident = $value:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $type(pub $repr);

        impl $type {
            $(
                #[doc = concat!("Code ", stringify!($value), ".")]
                pub const $name: Self = Self($value);
            )*

            /// Returns Apache's name of this code, or `None` for a code outside the list.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// Returns the code that Apache calls `name`, or `None` for a name outside the list.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($name) => Some(Self::$name),)*
                    _ => None,
                }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => write!(f, "{name} ({})", self.0),
                    None => write!(f, "{}", self.0),
                }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

named_codes! {
/// Identifies the kind of a request.
///
/// Unknown codes survive decoding and encoding; [`name`](Self::name) is `None` for them.
///
/// ```
/// use rocketmq_remoting::RequestCode;
///
/// assert_eq!(RequestCode::from_name("SEND_MESSAGE_V2"), Some(RequestCode(310)));
/// assert_eq!(RequestCode::SEND_MESSAGE_V2.to_string(), "SEND_MESSAGE_V2 (310)");
/// assert_eq!(RequestCode(77_777).name(), None);
/// ```
RequestCode(i32) {
    // Produce
    SEND_MESSAGE = 10,
    SEND_MESSAGE_V2 = 310,
    SEND_BATCH_MESSAGE = 320,
    SEND_REPLY_MESSAGE = 324,
    SEND_REPLY_MESSAGE_V2 = 325,
    CONSUMER_SEND_MSG_BACK = 36,
    END_TRANSACTION = 37,
    RECALL_MESSAGE = 370,
    // Consume by pull, offsets, lookup
    PULL_MESSAGE = 11,
    QUERY_MESSAGE = 12,
    QUERY_CONSUMER_OFFSET = 14,
    UPDATE_CONSUMER_OFFSET = 15,
    SEARCH_OFFSET_BY_TIMESTAMP = 29,
    GET_MAX_OFFSET = 30,
    GET_MIN_OFFSET = 31,
    GET_EARLIEST_MSG_STORETIME = 32,
    VIEW_MESSAGE_BY_ID = 33,
    LITE_PULL_MESSAGE = 361,
    // Consume by pop (5.x; do not fit a binary header)
    POP_MESSAGE = 200050,
    ACK_MESSAGE = 200051,
    PEEK_MESSAGE = 200052,
    CHANGE_MESSAGE_INVISIBLETIME = 200053,
    NOTIFICATION = 200054,
    POLLING_INFO = 200055,
    POP_ROLLBACK = 200056,
    BATCH_ACK_MESSAGE = 200151,
    // Membership and coordination
    HEART_BEAT = 34,
    UNREGISTER_CLIENT = 35,
    GET_CONSUMER_LIST_BY_GROUP = 38,
    LOCK_BATCH_MQ = 41,
    UNLOCK_BATCH_MQ = 42,
    CHECK_CLIENT_CONFIG = 46,
    QUERY_ASSIGNMENT = 400,
    SET_MESSAGE_REQUEST_MODE = 401,
    GET_ALL_MESSAGE_REQUEST_MODE = 402,
    // Requests of a broker to a client
    CHECK_TRANSACTION_STATE = 39,
    NOTIFY_CONSUMER_IDS_CHANGED = 40,
    RESET_CONSUMER_CLIENT_OFFSET = 220,
    GET_CONSUMER_STATUS_FROM_CLIENT = 221,
    GET_CONSUMER_RUNNING_INFO = 307,
    CONSUME_MESSAGE_DIRECTLY = 309,
    PUSH_REPLY_MESSAGE_TO_CLIENT = 326,
    // Name server
    PUT_KV_CONFIG = 100,
    GET_KV_CONFIG = 101,
    DELETE_KV_CONFIG = 102,
    REGISTER_BROKER = 103,
    UNREGISTER_BROKER = 104,
    GET_ROUTEINFO_BY_TOPIC = 105,
    GET_BROKER_CLUSTER_INFO = 106,
    WIPE_WRITE_PERM_OF_BROKER = 205,
    GET_ALL_TOPIC_LIST_FROM_NAMESERVER = 206,
    DELETE_TOPIC_IN_NAMESRV = 216,
    REGISTER_TOPIC_IN_NAMESRV = 217,
    GET_KVLIST_BY_NAMESPACE = 219,
    GET_TOPICS_BY_CLUSTER = 224,
    GET_SYSTEM_TOPIC_LIST_FROM_NS = 304,
    GET_UNIT_TOPIC_LIST = 311,
    GET_HAS_UNIT_SUB_TOPIC_LIST = 312,
    GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST = 313,
    UPDATE_NAMESRV_CONFIG = 318,
    GET_NAMESRV_CONFIG = 319,
    QUERY_DATA_VERSION = 322,
    ADD_WRITE_PERM_OF_BROKER = 327,
    GET_BROKER_MEMBER_GROUP = 901,
    ADD_BROKER = 902,
    REMOVE_BROKER = 903,
    BROKER_HEARTBEAT = 904,
    NOTIFY_MIN_BROKER_ID_CHANGE = 905,
    // Topics and groups of a broker
    UPDATE_AND_CREATE_TOPIC = 17,
    UPDATE_AND_CREATE_TOPIC_LIST = 18,
    GET_ALL_TOPIC_CONFIG = 21,
    UPDATE_AND_CREATE_SUBSCRIPTIONGROUP = 200,
    GET_ALL_SUBSCRIPTIONGROUP_CONFIG = 201,
    DELETE_SUBSCRIPTIONGROUP = 207,
    DELETE_TOPIC_IN_BROKER = 215,
    UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST = 225,
    GET_TOPIC_CONFIG = 351,
    GET_SUBSCRIPTIONGROUP_CONFIG = 352,
    UPDATE_AND_GET_GROUP_FORBIDDEN = 353,
    UPDATE_AND_CREATE_STATIC_TOPIC = 513,
    // State of a broker
    UPDATE_BROKER_CONFIG = 25,
    GET_BROKER_CONFIG = 26,
    GET_BROKER_RUNTIME_INFO = 28,
    GET_TOPIC_STATS_INFO = 202,
    GET_CONSUMER_CONNECTION_LIST = 203,
    GET_PRODUCER_CONNECTION_LIST = 204,
    GET_CONSUME_STATS = 208,
    INVOKE_BROKER_TO_RESET_OFFSET = 222,
    INVOKE_BROKER_TO_GET_CONSUMER_STATUS = 223,
    QUERY_TOPIC_CONSUME_BY_WHO = 300,
    QUERY_CONSUME_TIME_SPAN = 303,
    GET_SYSTEM_TOPIC_LIST_FROM_BROKER = 305,
    CLEAN_EXPIRED_CONSUMEQUEUE = 306,
    QUERY_CORRECTION_OFFSET = 308,
    CLONE_GROUP_OFFSET = 314,
    VIEW_BROKER_STATS_DATA = 315,
    CLEAN_UNUSED_TOPIC = 316,
    GET_BROKER_CONSUME_STATS = 317,
    QUERY_CONSUME_QUEUE = 321,
    RESUME_CHECK_HALF_MESSAGE = 323,
    GET_ALL_PRODUCER_INFO = 328,
    DELETE_EXPIRED_COMMITLOG = 329,
    QUERY_TOPICS_BY_CONSUMER = 343,
    QUERY_SUBSCRIPTION_BY_CONSUMER = 345,
    CHECK_ROCKSDB_CQ_WRITE_PROGRESS = 354,
    EXPORT_ROCKSDB_CONFIG_TO_JSON = 355,
    UPDATE_COLD_DATA_FLOW_CTR_CONFIG = 2001,
    REMOVE_COLD_DATA_FLOW_CTR_CONFIG = 2002,
    GET_COLD_DATA_FLOW_CTR_INFO = 2003,
    SET_COMMITLOG_READ_MODE = 2004,
    SWITCH_TIMER_ENGINE = 5001,
    // Replication
    GET_ALL_CONSUMER_OFFSET = 43,
    GET_ALL_DELAY_OFFSET = 45,
    GET_TIMER_CHECK_POINT = 60,
    GET_TIMER_METRICS = 61,
    EXCHANGE_BROKER_HA_INFO = 906,
    GET_BROKER_HA_STATUS = 907,
    RESET_MASTER_FLUSH_OFFSET = 908,
    GET_BROKER_EPOCH_CACHE = 1007,
    NOTIFY_BROKER_ROLE_CHANGED = 1008,
    // Controller
    CONTROLLER_ALTER_SYNC_STATE_SET = 1001,
    CONTROLLER_ELECT_MASTER = 1002,
    CONTROLLER_REGISTER_BROKER = 1003,
    CONTROLLER_GET_REPLICA_INFO = 1004,
    CONTROLLER_GET_METADATA_INFO = 1005,
    CONTROLLER_GET_SYNC_STATE_DATA = 1006,
    UPDATE_CONTROLLER_CONFIG = 1009,
    GET_CONTROLLER_CONFIG = 1010,
    CLEAN_BROKER_DATA = 1011,
    CONTROLLER_GET_NEXT_BROKER_ID = 1012,
    CONTROLLER_APPLY_BROKER_ID = 1013,
    // Access control (50 to 54 exist in 4.9 only, 3001 to 3010 from 5.3 on)
    UPDATE_AND_CREATE_ACL_CONFIG = 50,
    DELETE_ACL_CONFIG = 51,
    GET_BROKER_CLUSTER_ACL_INFO = 52,
    UPDATE_GLOBAL_WHITE_ADDRS_CONFIG = 53,
    GET_BROKER_CLUSTER_ACL_CONFIG = 54,
    AUTH_CREATE_USER = 3001,
    AUTH_UPDATE_USER = 3002,
    AUTH_DELETE_USER = 3003,
    AUTH_GET_USER = 3004,
    AUTH_LIST_USER = 3005,
    AUTH_CREATE_ACL = 3006,
    AUTH_UPDATE_ACL = 3007,
    AUTH_DELETE_ACL = 3008,
    AUTH_GET_ACL = 3009,
    AUTH_LIST_ACL = 3010,
}
}

named_codes! {
/// Identifies the outcome of a request. [`SUCCESS`](Self::SUCCESS) is a success; so are, for a send, the three codes of
/// a stored message that missed its flush or its replica ([`is_stored`](Self::is_stored)). Every other code is a
/// refusal.
///
/// 4.9 brokers also use 209 to 211 for failures of their access-control files.
///
/// ```
/// use rocketmq_remoting::ResponseCode;
///
/// assert!(ResponseCode::FLUSH_DISK_TIMEOUT.is_stored());
/// assert!(!ResponseCode::FLUSH_DISK_TIMEOUT.is_success());
/// assert_eq!(ResponseCode(17), ResponseCode::TOPIC_NOT_EXIST);
/// ```
ResponseCode(i32) {
    // Common
    SUCCESS = 0,
    SYSTEM_ERROR = 1,
    SYSTEM_BUSY = 2,
    REQUEST_CODE_NOT_SUPPORTED = 3,
    TRANSACTION_FAILED = 4,
    // Store and send
    FLUSH_DISK_TIMEOUT = 10,
    SLAVE_NOT_AVAILABLE = 11,
    FLUSH_SLAVE_TIMEOUT = 12,
    MESSAGE_ILLEGAL = 13,
    SERVICE_NOT_AVAILABLE = 14,
    VERSION_NOT_SUPPORTED = 15,
    NO_PERMISSION = 16,
    TOPIC_NOT_EXIST = 17,
    TOPIC_EXIST_ALREADY = 18,
    // Consume
    PULL_NOT_FOUND = 19,
    PULL_RETRY_IMMEDIATELY = 20,
    PULL_OFFSET_MOVED = 21,
    QUERY_NOT_FOUND = 22,
    SUBSCRIPTION_PARSE_FAILED = 23,
    SUBSCRIPTION_NOT_EXIST = 24,
    SUBSCRIPTION_NOT_LATEST = 25,
    SUBSCRIPTION_GROUP_NOT_EXIST = 26,
    FILTER_DATA_NOT_EXIST = 27,
    FILTER_DATA_NOT_LATEST = 28,
    INVALID_PARAMETER = 29,
    CONSUMER_NOT_ONLINE = 206,
    CONSUME_MSG_TIMEOUT = 207,
    NO_MESSAGE = 208,
    POLLING_FULL = 209,
    POLLING_TIMEOUT = 210,
    BROKER_NOT_EXIST = 211,
    BROKER_DISPATCH_NOT_COMPLETE = 212,
    BROADCAST_CONSUMPTION = 213,
    FLOW_CONTROL = 215,
    // Transactions and units
    TRANSACTION_SHOULD_COMMIT = 200,
    TRANSACTION_SHOULD_ROLLBACK = 201,
    TRANSACTION_STATE_UNKNOW = 202,
    TRANSACTION_STATE_GROUP_WRONG = 203,
    NO_BUYER_ID = 204,
    NOT_IN_CURRENT_UNIT = 205,
    // Routing of requests
    NOT_LEADER_FOR_QUEUE = 501,
    ILLEGAL_OPERATION = 604,
    GO_AWAY = 1500,
    RPC_UNKNOWN = -1000,
    RPC_ADDR_IS_NULL = -1002,
    RPC_SEND_TO_CHANNEL_FAILED = -1004,
    RPC_TIME_OUT = -1006,
    // Controller
    CONTROLLER_FENCED_MASTER_EPOCH = 2000,
    CONTROLLER_FENCED_SYNC_STATE_SET_EPOCH = 2001,
    CONTROLLER_INVALID_MASTER = 2002,
    CONTROLLER_INVALID_REPLICAS = 2003,
    CONTROLLER_MASTER_NOT_AVAILABLE = 2004,
    CONTROLLER_INVALID_REQUEST = 2005,
    CONTROLLER_BROKER_NOT_ALIVE = 2006,
    CONTROLLER_NOT_LEADER = 2007,
    CONTROLLER_BROKER_METADATA_NOT_EXIST = 2008,
    CONTROLLER_INVALID_CLEAN_BROKER_METADATA = 2009,
    CONTROLLER_BROKER_NEED_TO_BE_REGISTERED = 2010,
    CONTROLLER_MASTER_STILL_EXIST = 2011,
    CONTROLLER_ELECT_MASTER_FAILED = 2012,
    CONTROLLER_ALTER_SYNC_STATE_SET_FAILED = 2013,
    CONTROLLER_BROKER_ID_INVALID = 2014,
    CONTROLLER_JRAFT_INTERNAL_ERROR = 2015,
    CONTROLLER_BROKER_LIVE_INFO_NOT_EXISTS = 2016,
    // Access control
    USER_NOT_EXIST = 3001,
    POLICY_NOT_EXIST = 3002,
}
}

named_codes! {
/// Identifies the programming language of a peer. A binary header keeps unknown numbers; an unknown name in a JSON
/// header reads as [`OTHER`](Self::OTHER).
LanguageCode(u8) {
    JAVA = 0,
    CPP = 1,
    DOTNET = 2,
    PYTHON = 3,
    DELPHI = 4,
    ERLANG = 5,
    RUBY = 6,
    OTHER = 7,
    HTTP = 8,
    GO = 9,
    PHP = 10,
    OMS = 11,
    RUST = 12,
    NODE_JS = 13,
}
}

impl ResponseCode {
    /// Returns true for [`SUCCESS`](Self::SUCCESS) alone.
    pub const fn is_success(self) -> bool {
        self.0 == Self::SUCCESS.0
    }

    /// Returns true when an answer to a send with this code means that the message is in the log: on success, and when
    /// the message was stored without the flush or the replica it should have had.
    pub const fn is_stored(self) -> bool {
        matches!(
            self,
            Self::SUCCESS | Self::FLUSH_DISK_TIMEOUT | Self::SLAVE_NOT_AVAILABLE | Self::FLUSH_SLAVE_TIMEOUT
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_to_each_other() {
        assert_eq!(RequestCode::SEND_MESSAGE_V2.name(), Some("SEND_MESSAGE_V2"));
        assert_eq!(RequestCode::from_name("POP_MESSAGE"), Some(RequestCode(200_050)));
        assert_eq!(ResponseCode(-1006).name(), Some("RPC_TIME_OUT"));
        assert_eq!(LanguageCode::from_name("RUST"), Some(LanguageCode(12)));
    }

    #[test]
    fn an_unknown_code_is_kept_and_printed_as_a_number() {
        assert_eq!(RequestCode(77_777).to_string(), "77777");
        assert_eq!(RequestCode(105).to_string(), "GET_ROUTEINFO_BY_TOPIC (105)");
        assert_eq!(LanguageCode(255).name(), None);
    }

    #[test]
    fn four_codes_mean_stored() {
        let stored: Vec<i32> = (-10..5000).filter(|code| ResponseCode(*code).is_stored()).collect();
        assert_eq!(stored, [0, 10, 11, 12]);
    }
}
