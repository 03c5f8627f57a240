//! Runs every scenario on Apache's broker. `tests/interop/apache up VERSION NSPORT BROKERPORT` starts one;
//! `ROCKETMQ_NAMESRV` and `ROCKETMQ_VERSION` name it. Without them each test prints that it is skipped.

use rocketmq_server::Embedded;
use rocketmq_tests::{Cluster, TestResult, every_scenario, scenarios};

/// Returns the cluster under test. Without one it prints why, and returns `None`.
fn apache() -> Option<Cluster> {
    let cluster = Cluster::apache();
    if cluster.is_none() {
        println!("skipped: ROCKETMQ_NAMESRV names no cluster of Apache RocketMQ");
    }
    cluster
}

macro_rules! on_apache {
    ($($module:ident: $($scenario:ident)*;)*) => {$(
        mod $module {
            use super::*;
            $(
                #[tokio::test]
                async fn $scenario() -> TestResult {
                    let Some(cluster) = apache() else { return Ok(()) };
                    scenarios::$module::$scenario(&cluster).await
                }
            )*
        }
    )*};
}

every_scenario!(on_apache);

mod backlog {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn on_one_core() -> TestResult {
        let Some(cluster) = apache() else { return Ok(()) };
        scenarios::members::backlog(&cluster).await
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn on_two_cores() -> TestResult {
        let Some(cluster) = apache() else { return Ok(()) };
        scenarios::members::backlog(&cluster).await
    }
}

mod with_java {
    use super::*;

    #[tokio::test]
    async fn queues_on_apaches_broker() -> TestResult {
        let Some((cluster, version)) = apache_and_version() else { return Ok(()) };
        scenarios::with_java::queues(&cluster, &version).await
    }

    #[tokio::test]
    async fn traces_on_apaches_broker() -> TestResult {
        let Some((cluster, version)) = apache_and_version() else { return Ok(()) };
        scenarios::trace::read_by_mqadmin(&cluster, &version).await
    }

    #[tokio::test]
    async fn a_consumers_status_on_apaches_broker() -> TestResult {
        let Some((cluster, version)) = apache_and_version() else { return Ok(()) };
        scenarios::tools::status_by_mqadmin(&cluster, &version).await
    }

    #[tokio::test]
    async fn a_consumers_status_on_our_broker() -> TestResult {
        let Some(version) = java() else { return Ok(()) };
        scenarios::tools::status_by_mqadmin(&Cluster::embedded().await?, &version).await
    }

    #[tokio::test]
    async fn a_file_of_offsets() -> TestResult {
        let Some((cluster, version)) = apache_and_version() else { return Ok(()) };
        scenarios::with_java::offset_file(&cluster, &version).await
    }

    #[tokio::test]
    async fn a_static_topic() -> TestResult {
        let Some((cluster, version)) = apache_and_version() else { return Ok(()) };
        if cluster.is_4x() {
            return Ok(());
        }
        scenarios::logical::as_any_topic(&cluster, &version).await
    }

    #[tokio::test]
    async fn a_static_topic_that_moves() -> TestResult {
        let Some((cluster, version)) = apache_and_version() else { return Ok(()) };
        if cluster.is_4x() {
            return Ok(());
        }
        scenarios::logical::queues_move(&cluster, &version).await
    }

    #[tokio::test]
    async fn traces_on_our_broker() -> TestResult {
        let Some(version) = java() else { return Ok(()) };
        scenarios::trace::read_by_mqadmin(&Cluster::embedded().await?, &version).await
    }

    #[tokio::test]
    async fn queues_on_our_broker() -> TestResult {
        let Some(version) = java() else { return Ok(()) };
        scenarios::with_java::queues(&Cluster::embedded().await?, &version).await
    }

    #[tokio::test]
    async fn queues_of_a_room_on_our_broker() -> TestResult {
        let Some(version) = java() else { return Ok(()) };
        let cluster = Embedded::builder().set("brokerName", "near@broker-a").start().await?;
        scenarios::with_java::queues_of_a_room(&Cluster::Embedded(cluster), &version).await
    }

    /// Returns the cluster under test, and the version of its Java programs.
    fn apache_and_version() -> Option<(Cluster, String)> {
        let cluster = apache()?;
        let Cluster::Apache { version, .. } = &cluster else { return None };
        let version = version.clone();
        Some((cluster, version))
    }

    /// Returns the version of the Java programs to run beside this project's broker.
    fn java() -> Option<String> {
        let version = std::env::var("ROCKETMQ_JAVA").or_else(|_| std::env::var("ROCKETMQ_VERSION"));
        if version.is_err() {
            println!("skipped: set ROCKETMQ_JAVA=5.4.0 to run the official Java client");
        }
        version.ok()
    }
}
