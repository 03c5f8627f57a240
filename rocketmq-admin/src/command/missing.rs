//! Apache's commands that are not built, each with what to do instead.

use crate::failure::Failure;

/// Where the state of a controller is of use, Apache's own tool speaks to it: this project has no controller.
const CONTROLLER: &str = "this project has no controller; use Apache's mqadmin";
const CONTAINER: &str = "this project has no broker container; use Apache's mqadmin";
const LOCAL_FILES: &str = "it reads files of Apache's broker; use Apache's mqadmin on that machine";
const ROCKETS: &str = "it is about brokers that keep tables in RocksDB; use Apache's mqadmin";

const LATER: &str = "it is not built yet; use Apache's mqadmin";

/// Apache's commands that are not built: name and remedy.
pub const MISSING: &[(&str, &str)] = &[
    ("addBroker", CONTAINER),
    ("removeBroker", CONTAINER),
    ("cleanBrokerMetadata", CONTROLLER),
    ("electMaster", CONTROLLER),
    ("getControllerConfig", CONTROLLER),
    ("getControllerMetaData", CONTROLLER),
    ("updateControllerConfig", CONTROLLER),
    ("getSyncStateSet", CONTROLLER),
    ("dumpCompactionLog", LOCAL_FILES),
    ("exportMetadataInRocksDB", LOCAL_FILES),
    ("checkRocksdbCqWriteProgress", ROCKETS),
    ("rocksDBConfigToJson", ROCKETS),
    ("checkMsgSendRT", LATER),
    ("cloneGroupOffset", LATER),
    ("clusterRT", LATER),
    ("consumeMessage", LATER),
    ("consumerStatus", LATER),
    ("copyAcl", LATER),
    ("copyUser", LATER),
    ("createAcl", LATER),
    ("createUser", LATER),
    ("deleteAcl", LATER),
    ("deleteUser", LATER),
    ("exportConfigs", LATER),
    ("exportMetadata", LATER),
    ("exportMetrics", LATER),
    ("exportPopRecord", LATER),
    ("getAcl", LATER),
    ("getBrokerEpoch", LATER),
    ("getColdDataFlowCtrInfo", LATER),
    ("getUser", LATER),
    ("haStatus", LATER),
    ("listAcl", LATER),
    ("listUser", LATER),
    ("printMsg", LATER),
    ("printMsgByQueue", LATER),
    ("queryCq", LATER),
    ("queryMsgTraceById", LATER),
    ("remappingStaticTopic", LATER),
    ("removeColdDataFlowCtrGroupConfig", LATER),
    ("resetMasterFlushOffset", LATER),
    ("sendMessage", LATER),
    ("sendMsgStatus", LATER),
    ("setCommitLogReadAheadMode", LATER),
    ("setConsumeMode", LATER),
    ("startMonitoring", LATER),
    ("updateAcl", LATER),
    ("updateColdDataFlowCtrGroupConfig", LATER),
    ("updateOrderConf", LATER),
    ("updateStaticTopic", LATER),
    ("updateSubGroupList", LATER),
    ("updateTopicList", LATER),
    ("updateUser", LATER),
    ("switchTimerEngine", LATER),
    ("updateAclConfig", LATER),
    ("deleteAclConfig", LATER),
    ("clusterAclConfigVersion", LATER),
    ("updateGlobalWhiteAddr", LATER),
    ("getAclConfig", LATER),
];

/// Answers for a command that Apache has and this program has not.
pub(crate) fn answer(name: &str) -> Option<Failure> {
    let (name, remedy) = MISSING.iter().find(|(it, _)| it.eq_ignore_ascii_case(name))?;
    Some(
        Failure::usage(format!("{name} is a command of Apache's mqadmin that this program has not"))
            .with_remedy(*remedy),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::NAMES;

    #[test]
    fn a_command_is_built_or_missing() {
        for (name, _) in MISSING {
            assert!(!NAMES.contains(name), "{name} is built");
        }
        assert!(answer("ADDbroker").is_some_and(|failure| failure.text.contains("addBroker")));
        assert!(answer("nothing").is_none());
    }
}
