//! Runs every scenario on this project's broker, each on a cluster of its own. With `ROCKETMQ_NAMESRV` set, runs them
//! on that cluster instead.

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

/// A broker whose retry topics have the names of 5.x.
mod retry_topics_v2 {
    use rocketmq_server::Embedded;

    use super::*;

    #[tokio::test]
    async fn a_consumer_that_dies() -> TestResult {
        let cluster = Embedded::builder().set("enableRetryTopicV2", true).start().await?;
        scenarios::pop::a_consumer_that_dies(&Cluster::Embedded(cluster)).await
    }
}

/// A broker that takes no queue for young.
mod from_where_without_young_queues {
    use rocketmq_server::Embedded;

    use super::*;

    #[tokio::test]
    async fn a_new_group() -> TestResult {
        let cluster = Embedded::builder().set("accessMessageInMemoryMaxRatio", 0).start().await?;
        let cluster = Cluster::Embedded(cluster);
        scenarios::consume::begins_where_it_wishes(&cluster, |consumer| consumer).await
    }
}

/// Runs with this number of threads for client and broker together.
mod backlog {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn on_one_core() -> TestResult {
        scenarios::members::backlog(&Cluster::start().await?).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_two_cores() -> TestResult {
        scenarios::members::backlog(&Cluster::start().await?).await
    }
}
