//! Tests access control: on this project's broker with the rules of 4.x and the users of 5.x, and on Apache's broker.
//!
//! `ROCKETMQ_ACL_NAMESRV` names Apache's cluster, which `CONF=tests/interop/acl tests/interop/apache up ...` starts,
//! and `ROCKETMQ_VERSION` its version. With `ROCKETMQ_JAVA`, the Java client and Apache's tools of that version run
//! against this project's broker.

use std::process::Stdio;

use rocketmq_tests::access::{self, Rules};
use rocketmq_tests::{TestResult, java};
use tokio::process::Command;

async fn all(name_server: &str, rules: Rules) -> TestResult {
    access::prepare(name_server, rules).await?;
    access::a_user_has_his_rights_and_no_others(name_server, rules).await?;
    access::strangers_are_refused(name_server).await?;
    access::an_application_signs(name_server).await?;
    access::a_listener_that_is_refused_is_not_ready(name_server).await?;
    access::an_application_works_on_two_clusters_at_once(name_server).await
}

#[tokio::test]
async fn rules_in_files() -> TestResult {
    let (cluster, _home) = access::embedded(Rules::Files).await?;
    all(&cluster.name_server(), Rules::Files).await
}

#[tokio::test]
async fn users_of_the_broker() -> TestResult {
    let (cluster, _home) = access::embedded(Rules::Users).await?;
    all(&cluster.name_server(), Rules::Users).await
}

#[tokio::test]
async fn on_apache() -> TestResult {
    let Ok(name_server) = std::env::var("ROCKETMQ_ACL_NAMESRV") else {
        println!("skipped: ROCKETMQ_ACL_NAMESRV names no cluster of Apache RocketMQ");
        return Ok(());
    };
    let old = std::env::var("ROCKETMQ_VERSION").is_ok_and(|version| version.starts_with("4."));
    all(&name_server, if old { Rules::Files } else { Rules::Users }).await
}

/// Runs `tests/interop/apache` with the administrator's keys.
fn apache(args: &[&str]) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/interop/apache"));
    command.args(args).env("CONF", concat!(env!("CARGO_MANIFEST_DIR"), "/interop/acl")).kill_on_drop(true);
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_java_client_on_ours() -> TestResult {
    let Some(version) = java() else { return Ok(()) };
    for rules in [Rules::Files, Rules::Users] {
        let (cluster, _home) = access::embedded(rules).await?;
        access::prepare(&cluster.name_server(), rules).await?;
        let run = apache(&["run", &version, "Access", &cluster.name_server()])
            .stderr(Stdio::null())
            .status()
            .await?;
        assert!(run.success(), "{rules:?}: {run}; the lines above say what failed");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn apaches_tools_on_ours() -> TestResult {
    let Some(version) = java() else { return Ok(()) };
    let rules = if version.starts_with('4') { Rules::Files } else { Rules::Users };
    let (cluster, _home) = access::embedded(rules).await?;
    let (name_server, broker) = (cluster.name_server(), cluster.broker().address().to_string());
    let commands: &[(&str, &str)] = if rules == Rules::Files { &FILES } else { &USERS };
    for (line, expected) in commands {
        let line = line.replace("NS", &name_server).replace("BROKER", &broker);
        let args: Vec<&str> = ["admin", &version].into_iter().chain(line.split(' ')).collect();
        let output = apache(&args).stdin(Stdio::null()).output().await?;
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(expected), "{line} says {said}");
    }
    Ok(())
}

/// Commands of 5.4.0's tools, with a part of their output on success.
const USERS: [(&str, &str); 8] = [
    ("createUser -n NS -b BROKER -u tool-user -p 12345678 -t Normal", "success"),
    ("createAcl -n NS -b BROKER -s User:tool-user -r Topic:a* -a Pub,Sub -d Allow -i 10.0.0.0/8", "success"),
    ("getAcl -n NS -b BROKER -s User:tool-user", "10.0.0.0/8"),
    ("updateAcl -n NS -b BROKER -s User:tool-user -r Topic:a* -a Pub -d Deny", "success"),
    ("listAcl -n NS -b BROKER", "Deny"),
    ("updateUser -n NS -b BROKER -u tool-user -p 87654321", "success"),
    ("listUser -n NS -b BROKER", "87654321"),
    ("deleteUser -n NS -b BROKER -u tool-user", "success"),
];

/// Commands of 4.9.7's tools, with a part of their output on success.
const FILES: [(&str, &str); 5] = [
    ("updateAclConfig -n NS -b BROKER -a tool-user -s 12345678 -t topicA=PUB|SUB -g groupA=SUB", "success"),
    ("clusterAclConfigVersion -n NS -b BROKER", "version success"),
    ("getAclConfig -n NS -b BROKER", "tool-user"),
    ("updateGlobalWhiteAddr -n NS -b BROKER -g 10.10.104.*", "success"),
    ("deleteAclConfig -n NS -b BROKER -a tool-user", "success"),
];
