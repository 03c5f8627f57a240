//! The programs, run as a user runs them: what they print, how they end, and what they say when they cannot start.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

const BROKER: &str = env!("CARGO_BIN_EXE_mqbroker");
const NAME_SERVER: &str = env!("CARGO_BIN_EXE_mqnamesrv");

/// A program that has not ended by then is killed, and its test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running program, killed when a test fails.
struct Program {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

impl Program {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments);
        Self::run(command)
    }

    /// Runs a line in a shell, in which `mqnamesrv` and `mqbroker` are the scripts of this repository.
    fn shell(line: &str) -> Self {
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../bin"));
        command.env("ROCKETMQ_PROGRAMS", Path::new(BROKER).parent().unwrap());
        Self::run(command)
    }

    fn run(mut command: Command) -> Self {
        let command = command.env_remove("NAMESRV_ADDR").stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdout }
    }

    /// The next line it prints; empty at its end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
    }

    /// Asks it to stop; how it ended, what it had still to say, and its log.
    fn stop(&mut self) -> (i32, String, String) {
        self.signal("TERM");
        self.end()
    }

    fn end(&mut self) -> (i32, String, String) {
        let (_ended, still_running) = mpsc::channel::<()>();
        let process = self.child.id().to_string();
        thread::spawn(move || {
            if still_running.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                Command::new("kill").args(["-s", "KILL", &process]).status().unwrap();
            }
        });
        let (mut rest, mut log) = (String::new(), String::new());
        self.stdout.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (self.child.wait().unwrap().code().expect("it ends without being killed"), rest, log)
    }
}

/// Returns the words of a program that cannot start, on standard error alone.
fn refusal(program: &str, arguments: &[&str]) -> String {
    let (code, _, error) = Program::start(program, arguments).end();
    assert_eq!(code, 253, "{error}");
    error
}

/// The two files that `tests/interop/apache` writes for Apache's programs.
fn apaches_files(home: &Path, name_server: &str, broker: &str) -> [PathBuf; 2] {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/interop/apache");
    let mut command = Command::new(script);
    let command = command.args(["conf", "5.4.0", name_server, broker]).env("APACHE_HOME", home);
    let paths = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let mut paths = paths.lines().map(PathBuf::from);
    [paths.next().unwrap(), paths.next().unwrap()]
}

#[test]
fn the_files_of_apaches_programs_start_ours_with_the_same_boot_lines() {
    let home = tempfile::tempdir().unwrap();
    let [file, _] = apaches_files(home.path(), "0", "0");
    let mut server = Program::start(NAME_SERVER, &["-c", file.to_str().unwrap()]);
    assert_eq!(server.line(), format!("load config properties file OK, {}", file.display()));
    let booted = server.line();
    let address = booted.strip_prefix("The Name Server boot success. serializeType=JSON, address 127.0.0.1:");
    let port = address.expect(&booted);

    let [_, file] = apaches_files(home.path(), port, "0");
    let mut broker = Program::start(BROKER, &["-c", file.to_str().unwrap()]);
    assert_eq!(broker.line(), format!("load config properties file OK, {}", file.display()));
    let booted = broker.line();
    assert!(booted.starts_with("The broker[broker-a, 127.0.0.1:"), "{booted}");
    let rest = format!("] boot success. serializeType=JSON and name server is 127.0.0.1:{port}");
    assert!(booted.ends_with(&rest), "{booted}");

    let (code, rest, _) = broker.stop();
    assert_eq!((code, rest.trim_end()), (0, "shutdown complete"));
    assert_eq!(server.stop().0, 0);
}

#[test]
fn a_key_that_does_nothing_here_is_named_and_the_broker_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broker.conf");
    let store = folder.path().join("store");
    let text = format!(
        "listenPort=0\nbrokerIP1=127.0.0.1\nbindAddress=127.0.0.1\nstorePathRootDir={}\nlistenPrt=1\n",
        store.display()
    );
    std::fs::write(&file, text).unwrap();
    let mut broker = Program::start(BROKER, &["-c", file.to_str().unwrap()]);
    broker.line();
    assert!(broker.line().contains("boot success"));
    let (code, _, log) = broker.stop();
    assert_eq!(code, 0);
    assert!(log.contains("listenPrt") && log.contains("listenPort"), "{log}");
}

#[test]
fn for_development_one_program_is_both_on_any_ports() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broker.conf");
    std::fs::write(&file, "listenPort=0\n").unwrap();
    let mut both = Program::start(BROKER, &["--dev", "-n", "127.0.0.1:0", "-c", file.to_str().unwrap()]);
    both.line();
    let server = both.line();
    assert!(server.starts_with("The Name Server boot success. "), "{server}");
    let address = server.rsplit(' ').next().unwrap();
    let broker = both.line();
    assert!(broker.ends_with(&format!("and name server is {address}")), "{broker}");

    let error = refusal(BROKER, &["--dev", "-n", address]);
    assert!(error.contains(address) && error.contains("`-n 127.0.0.1:PORT`"), "{error}");
    let error = refusal(BROKER, &["--dev", "-n", "here;there"]);
    assert!(error.contains("here;there") && error.contains("127.0.0.1:9876"), "{error}");
    assert_eq!(both.stop().0, 0);
}

#[test]
fn what_is_asked_for_is_printed_and_an_unkept_promise_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut printed =
        Program::start(BROKER, &["-p", "brokerRole=SYNC_MASTER", "inSyncReplicas=2", "brokerId=3"]);
    let (code, text, _) = printed.end();
    assert_eq!(code, 0);
    for line in ["brokerRole=SYNC_MASTER", "inSyncReplicas=2", "brokerId=3", "enableDLegerCommitLog=false"] {
        assert!(text.lines().any(|printed| printed == line), "{line}: {text}");
    }

    let store = format!("storePathRootDir={}", folder.path().display());
    let mut arguments: Vec<_> = ANYWHERE.split(' ').collect();
    arguments.extend([
        "brokerIP1=127.0.0.1",
        &store,
        "brokerRole=SYNC_MASTER",
        "minInSyncReplicas=2",
        "brokerId=3",
    ]);
    let mut broker = Program::start(BROKER, &arguments);
    broker.line();
    let (code, _, log) = broker.stop();
    assert_eq!(code, 0);
    for told in [
        "`brokerRole` is SYNC_MASTER, but this broker makes no copies of its messages on other machines",
        "`minInSyncReplicas` has no effect: it makes no copies of its messages",
        "`brokerId` is 3, but this broker is a master",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    for refused in [
        "brokerRole=SLAVE",
        "enableDLegerCommitLog=true",
        "enableControllerMode=true",
        "duplicationEnable=true",
    ] {
        let error = refusal(BROKER, &[refused]);
        assert!(error.contains("this broker does not replicate"), "{error}");
    }
}

/// A name server on a port that the system chooses; the settings that a broker on another needs beside it.
const ANYWHERE: &str = "listenPort=0 bindAddress=127.0.0.1";

#[test]
fn the_lines_of_installation_guides_start_the_programs() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().display();
    for line in [
        "exec sh mqnamesrv -n '127.0.0.1 9876'",
        "exec nohup sh mqnamesrv -n 127.0.0.1 9876",
        "exec ./mqnamesrv -namesrvAddr 127.0.0.1:9876",
    ] {
        let mut server = Program::shell(&format!("{line} {ANYWHERE} kvConfigPath={store}/kv.json"));
        let booted = server.line();
        assert!(booted.starts_with("The Name Server boot success. "), "{line}: {booted}");
        server.signal("TERM");
        let (code, _, log) = server.end();
        assert_eq!(code, 0, "{line}");
        assert!(log.contains("`-n 127.0.0.1:9876` has no effect"), "{line}: {log}");
    }

    let mut server = Program::start(NAME_SERVER, &ANYWHERE.split(' ').collect::<Vec<_>>());
    let port = server.line().rsplit(':').next().unwrap().to_owned();
    for name_server in [format!("-n '127.0.0.1 {port}'"), format!("-n 127.0.0.1 {port}")] {
        let mut broker = Program::shell(&format!(
            "exec sh mqbroker {name_server} {ANYWHERE} brokerIP1=127.0.0.1 storePathRootDir={store} brokerName=b"
        ));
        let booted = broker.line();
        assert!(booted.starts_with("The broker[b, 127.0.0.1:"), "{booted}");
        assert!(booted.ends_with(&format!("and name server is 127.0.0.1:{port}")), "{booted}");
        assert_eq!(broker.stop().0, 0);
    }

    let error = refusal(BROKER, &["-n", "127.0.0.1:9876", "start"]);
    assert!(error.contains("\"start\" is no option") && error.contains("key=value"), "{error}");
    let error = refusal(BROKER, &["listenPort=many"]);
    assert!(error.starts_with("the command line: `listenPort` is \"many\""), "{error}");
}

/// Tells whether this process ignores a signal (as under `nohup`), which its children inherit.
fn is_ignored_here(signal: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}

#[test]
fn the_end_of_its_terminal_stops_a_program_in_order_unless_it_ignores_that() {
    let arguments: Vec<_> = ANYWHERE.split(' ').collect();
    for (number, signal) in [(1, "HUP"), (2, "INT"), (15, "TERM")] {
        if is_ignored_here(number) {
            println!(
                "skipped: SIG{signal} is ignored in whatever runs this test, and so in the programs it starts"
            );
            continue;
        }
        let mut server = Program::start(NAME_SERVER, &arguments);
        server.line();
        server.signal(signal);
        let (code, rest, _) = server.end();
        assert_eq!((code, rest.trim_end()), (0, "shutdown complete"), "{signal}");
    }
    let mut server = Program::shell(&format!("trap '' HUP INT; exec {NAME_SERVER} {ANYWHERE}"));
    server.line();
    for ignored in ["HUP", "INT"] {
        server.signal(ignored);
    }
    assert!(server.child.try_wait().unwrap().is_none(), "it goes on");
    server.signal("TERM");
    assert_eq!(server.end().0, 0);
}

#[test]
fn a_name_server_that_is_down_is_complained_of_once_at_first() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let store = format!("storePathRootDir={}", folder.path().display());
    let name_server = nobody.local_addr().unwrap().to_string();
    let mut arguments = vec!["-n", &name_server, "brokerIP1=127.0.0.1", &store];
    arguments.extend(ANYWHERE.split(' '));
    let mut broker = Program::start(BROKER, &arguments);
    broker.line();
    for _ in 0..6 {
        drop(nobody.accept().unwrap());
    }
    let (code, _, log) = broker.stop();
    assert_eq!(code, 0);
    assert_eq!(log.matches("a registration got no answer").count(), 1, "{log}");
}

#[test]
fn a_program_whose_output_nobody_reads_stops_in_order_too() {
    let mut server = Program::start(NAME_SERVER, &ANYWHERE.split(' ').collect::<Vec<_>>());
    server.line();
    let Program { child, .. } = &mut server;
    drop(child.stdout.take());
    server.stdout =
        BufReader::new(Command::new("true").stdout(Stdio::piped()).spawn().unwrap().stdout.unwrap());
    server.signal("TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn what_keeps_a_broker_from_starting_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broker.conf");
    let broker = |text: String| {
        std::fs::write(&file, text).unwrap();
        refusal(BROKER, &["-c", file.to_str().unwrap()])
    };
    let error = broker("listenPort=many\n".into());
    assert!(error.contains("listenPort") && error.contains("many"), "{error}");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let store = folder.path().join("store");
    let error = broker(format!(
        "listenPort={}\nbindAddress=127.0.0.1\nbrokerIP1=127.0.0.1\nstorePathRootDir={}\n",
        address.port(),
        store.display()
    ));
    assert!(error.contains(&address.to_string()) && error.contains("listenPort"), "{error}");

    let missing = folder.path().join("missing.conf");
    let error = refusal(BROKER, &["-c", missing.to_str().unwrap()]);
    assert!(error.contains(&missing.display().to_string()), "{error}");

    let error = refusal(BROKER, &["-n", "nowhere"]);
    assert!(error.contains("nowhere") && error.contains("127.0.0.1:9876"), "{error}");
}
