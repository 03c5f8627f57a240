//! [`Failure`]: the reason why a command failed, with its remedy.

use rocketmq_client::error::{CallError, CallErrorKind, ConnectError, ConnectErrorKind};
use rocketmq_remoting::ResponseCode;

/// Tells failures apart; each kind has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The cluster refused, or lacks what the command needs: exit code 1.
    Refused,
    /// The command line cannot be carried out as it stands: exit code 2.
    Usage,
    /// No server answered: exit code 3.
    Unreachable,
}

impl FailureKind {
    /// Returns the exit code of the program.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
        }
    }
}

/// Tells on one line why a command failed, and the remedy where one is known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}{}{}", if remedy.is_empty() { "" } else { "; " }, remedy)]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// The reason.
    pub text: String,
    /// The way out; empty where none is known.
    pub remedy: String,
    /// The code of the server that refused.
    pub code: Option<ResponseCode>,
    /// The words of the server that refused.
    pub remark: String,
}

impl Failure {
    fn new(kind: FailureKind, text: impl Into<String>) -> Self {
        // Servers answer with several lines now and then.
        let text = text.into().split_whitespace().collect::<Vec<_>>().join(" ");
        Self { kind, text, remedy: String::new(), code: None, remark: String::new() }
    }

    /// The cluster lacks something.
    pub fn refused(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Refused, text)
    }

    /// The command line is wrong.
    pub fn usage(text: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, text)
    }

    /// Adds the remedy.
    #[must_use]
    pub fn with_remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }

    /// A server refused a request.
    pub(crate) fn refusal(address: &str, code: ResponseCode, remark: &str) -> Self {
        let text = format!("{address} refused with {code}: {remark}");
        let remark = remark.to_owned();
        Self { code: Some(code), remark, ..Self::refused(text).with_remedy(remedy(code)) }
    }

    /// Tells whether a server refused with this code.
    pub fn is(&self, code: ResponseCode) -> bool {
        self.code == Some(code)
    }
}

fn remedy(code: ResponseCode) -> &'static str {
    match code {
        ResponseCode::TOPIC_NOT_EXIST => "`mqadmin topicList` lists the topics",
        ResponseCode::SUBSCRIPTION_GROUP_NOT_EXIST => "`mqadmin consumerProgress` lists the groups",
        ResponseCode::CONSUMER_NOT_ONLINE => "start a member of the group, or check its name",
        ResponseCode::NO_PERMISSION => {
            "set accessKey and secretKey in $ROCKETMQ_HOME/conf/tools.yml, or --access-key and --secret-key"
        }
        ResponseCode::REQUEST_CODE_NOT_SUPPORTED => {
            "this server does not know the request, its version may be too old"
        }
        _ => "",
    }
}

impl From<CallError> for Failure {
    fn from(error: CallError) -> Self {
        let kind = match error.kind() {
            CallErrorKind::Unreachable | CallErrorKind::Timeout => FailureKind::Unreachable,
            CallErrorKind::InvalidRequest => FailureKind::Usage,
            _ => FailureKind::Refused,
        };
        let code = error.refusal().map(|refusal| refusal.code);
        let remedy = match (kind, code) {
            (_, Some(code)) => remedy(code),
            (FailureKind::Unreachable, _) => {
                "is the broker running, and can this machine reach that address?"
            }
            _ => "",
        };
        let remark = error.refusal().map(|refusal| refusal.remark.clone()).unwrap_or_default();
        Self { code, remark, ..Self::new(kind, error.to_string()).with_remedy(remedy) }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let (kind, remedy) = match error.kind() {
            ConnectErrorKind::Unreachable => (
                FailureKind::Unreachable,
                "name a running name server by -n HOST:PORT or the variable NAMESRV_ADDR",
            ),
            _ => (FailureKind::Usage, ""),
        };
        Self::new(kind, error.to_string()).with_remedy(remedy)
    }
}
