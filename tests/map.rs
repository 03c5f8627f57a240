//! The documents name files that exist, and link to pages and headings that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rocketmq_tests::TestResult;

/// Folders that hold no source.
const BUILT: [&str; 4] = ["target", ".git", "node_modules", ".idea"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file and folder of the repository, from its root; a folder ends with a slash.
fn repository() -> TestResult<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    add(&root(), "", &mut found)?;
    Ok(found)
}

fn add(folder: &Path, name: &str, found: &mut BTreeSet<String>) -> TestResult {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{name}{file}");
        if entry.file_type()?.is_dir() {
            if !BUILT.contains(&file.as_str()) {
                let path = path + "/";
                add(&entry.path(), &path, found)?;
                found.insert(path);
            }
        } else {
            found.insert(path);
        }
    }
    Ok(())
}

/// The words of a text that name files or folders.
fn paths(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_./-".contains(c)));
    let words = words.map(|word| word.trim_end_matches('.'));
    words.filter(|word| word.ends_with(".rs") || (word.contains('/') && word.len() > 2)).collect()
}

/// True for a path from the root, and for the end of one. A folder may be written without its slash.
fn names(repository: &BTreeSet<String>, path: &str) -> bool {
    let end = format!("/{path}");
    let folder = format!("{path}/");
    repository.contains(path)
        || repository.contains(&folder)
        || repository.iter().any(|file| file.ends_with(&end))
}

#[test]
fn every_path_on_the_map_exists() -> TestResult {
    let (repository, text) = (repository()?, fs::read_to_string(root().join("docs/architecture.md"))?);
    let paths = paths(&text);
    let wrong: Vec<_> = paths.iter().filter(|path| !names(&repository, path)).collect();
    assert!(wrong.is_empty(), "docs/architecture.md names what is not there: {wrong:#?}");
    assert!(paths.len() > 100, "the page was not read: {paths:?}");
    Ok(())
}

#[test]
fn a_path_that_leads_nowhere_is_noticed() -> TestResult {
    let repository = repository()?;
    let text = "`tests/map.rs`, tests/, `tests/interop/apache`; map.rs.";
    assert!(paths(text).iter().all(|path| names(&repository, path)), "{:?}", paths(text));
    for wrong in ["tests/nowhere.rs", "nap.rs", "p.rs", "tests/interop/apach", "ests/"] {
        assert!(paths(wrong).iter().any(|path| !names(&repository, path)), "{wrong}");
    }
    Ok(())
}

/// The name under which a heading can be linked to.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// The links of a page that lead into this repository: file (empty for the page itself) and heading.
fn links(text: &str) -> Vec<(&str, Option<&str>)> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let inside = targets.filter(|target| !target.contains(':'));
    inside
        .map(|target| target.split_once('#').map_or((target, None), |(file, at)| (file, Some(at))))
        .collect()
}

#[test]
fn every_link_between_the_documents_leads_somewhere() -> TestResult {
    let mut checked = 0;
    for page in repository()?.iter().filter(|file| file.ends_with(".md")) {
        let (path, text) = (root().join(page), fs::read_to_string(root().join(page))?);
        for (file, heading) in links(&text) {
            let target = match file {
                "" => path.clone(),
                _ => path.parent().ok_or("a page lies in a folder")?.join(file),
            };
            assert!(target.exists(), "{page} links to {file}, which is not there");
            if let Some(heading) = heading {
                let there = fs::read_to_string(&target)?;
                let found = there.lines().any(|line| line.starts_with('#') && anchor(line) == heading);
                assert!(found, "{page} links to the heading #{heading} of {file}, which is not there");
            }
            checked += 1;
        }
    }
    assert!(checked > 30, "only {checked} links were found");
    Ok(())
}
