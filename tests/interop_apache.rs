//! Every scenario on Apache's broker: `tests/interop/apache up VERSION NSPORT BROKERPORT` starts one, `ROCKETMQ_NAMESRV`
//! and `ROCKETMQ_VERSION` name it. Without them each test says that it was skipped.

use rocketmq_tests::{Cluster, TestResult, every_scenario, scenarios};

macro_rules! on_apache {
    ($($module:ident: $($scenario:ident)*;)*) => {$(
        mod $module {
            use super::*;
            $(
                #[tokio::test]
                async fn $scenario() -> TestResult {
                    match Cluster::apache() {
                        Some(cluster) => scenarios::$module::$scenario(&cluster).await,
                        None => {
                            println!("skipped: ROCKETMQ_NAMESRV names no cluster of Apache RocketMQ");
                            Ok(())
                        }
                    }
                }
            )*
        }
    )*};
}

every_scenario!(on_apache);
