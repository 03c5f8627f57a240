//! Every scenario on this project's own broker, each on a cluster of its own; with `ROCKETMQ_NAMESRV` set, there.

use rocketmq_tests::{Cluster, TestResult, every_scenario, scenarios};

macro_rules! on_a_cluster {
    ($($module:ident: $($scenario:ident)*;)*) => {$(
        mod $module {
            use super::*;
            $(
                #[tokio::test]
                async fn $scenario() -> TestResult {
                    scenarios::$module::$scenario(&Cluster::start().await?).await
                }
            )*
        }
    )*};
}

every_scenario!(on_a_cluster);
