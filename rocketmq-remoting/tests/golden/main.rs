//! Compares this crate with files that the official Java classes wrote. Each file of `4.9.7/` and `5.4.0/` is decoded,
//! compared field by field with the expected value, and encoded again.
//!
//! `tests/interop/java/golden/Golden.java` writes the files. `tests/interop/golden.sh` writes them anew, runs these
//! tests with `GOLDEN_OUT` set, and lets the Java classes read the files that the tests wrote into that folder.

#![allow(clippy::unwrap_used)] // A test that cannot read its data must fail.

mod bodies;
mod frames;
mod messages;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::{env, fs};

/// The files of one version, and the names of those that a test has read.
struct Golden {
    version: &'static str,
    seen: BTreeSet<String>,
}

impl Golden {
    fn folder(&self) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(self.version)
    }

    fn is_five(&self) -> bool {
        self.version.starts_with('5')
    }

    /// Returns the version's ordinal on the wire.
    fn ordinal(&self) -> i32 {
        if self.is_five() { 493 } else { 407 }
    }

    /// Reads a file of Java.
    fn read(&mut self, name: &str) -> Vec<u8> {
        self.seen.insert(name.to_owned());
        let file = self.folder().join(format!("{name}.bin"));
        fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    }

    /// Writes a file for Java to read.
    fn write(&self, name: &str, ours: &[u8]) {
        let Some(out) = env::var_os("GOLDEN_OUT") else { return };
        let folder = PathBuf::from(out).join(self.version);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.bin")), ours).unwrap();
    }

    /// Fails unless the test has read every file that `belongs` to it.
    fn finish(self, belongs: impl Fn(&str) -> bool) {
        let file_name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        let names = fs::read_dir(self.folder()).unwrap().map(|entry| file_name(entry.unwrap()));
        let all: BTreeSet<String> = names.map(|name| name.trim_end_matches(".bin").to_owned()).collect();
        let expected: BTreeSet<String> = all.into_iter().filter(|name| belongs(name)).collect();
        assert!(!expected.is_empty());
        assert_eq!(self.seen, expected, "{}", self.version);
    }
}

fn each_version(check: impl Fn(&mut Golden), belongs: impl Fn(&str) -> bool) {
    for version in ["4.9.7", "5.4.0"] {
        let mut golden = Golden { version, seen: BTreeSet::new() };
        check(&mut golden);
        golden.finish(&belongs);
    }
}

#[test]
fn frames_equal_those_of_java() {
    each_version(frames::check, |name| name.starts_with("frame-") || name == "text-signed-content");
}

#[test]
fn messages_and_ids_equal_those_of_java() {
    each_version(messages::check, |name| {
        // Tests of the client read the files of traces and recall handles. The signed text belongs to its frame.
        let elsewhere = ["text-trace", "text-signed", "text-recall"].iter().any(|p| name.starts_with(p));
        name.starts_with(|c: char| c.is_lowercase())
            && !["frame-", "register-"].iter().any(|prefix| name.starts_with(prefix))
            && !elsewhere
    });
}

#[test]
fn bodies_equal_those_of_java() {
    each_version(bodies::check, |name| {
        name.starts_with(|c: char| c.is_uppercase()) || name.starts_with("register-")
    });
}
