//! Reads which file of a crate uses which, from the paths in its source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Meta, UseTree, Visibility};

use crate::TestResult;

/// A module by its path inside the crate; the root is empty.
pub type Module = Vec<String>;

/// The files of one crate, without what only its tests use, and which of them name something of another.
#[derive(Debug, Default)]
pub struct Source {
    modules: BTreeSet<Module>,
    /// The modules that are declared with `pub`.
    public: BTreeSet<Module>,
    /// The paths that each file uses.
    uses: BTreeMap<Module, Vec<Vec<String>>>,
    /// `pub use`, by module and name: the path that stands behind it.
    passed_on: BTreeMap<Module, BTreeMap<String, Vec<String>>>,
}

impl Source {
    /// Reads the crate whose `src` folder this is.
    pub fn read(src: &Path) -> TestResult<Self> {
        let mut source = Self::default();
        source.add(src, &src.join("lib.rs"), Module::new())?;
        Ok(source)
    }

    /// Reads a file and the modules it declares.
    fn add(&mut self, folder: &Path, file: &Path, module: Module) -> TestResult {
        let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let parsed = syn::parse_file(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        self.modules.insert(module.clone());
        let mut reader = Reader { source: self, module: module.clone() };
        reader.visit_file(&parsed);
        for item in &parsed.items {
            let Item::Mod(declared) = item else { continue };
            if declared.content.is_none() && !is_for_tests(&declared.attrs) {
                let name = declared.ident.to_string();
                let child: Module = module.iter().cloned().chain([name]).collect();
                let path = file_of(folder, &child)?;
                if matches!(declared.vis, Visibility::Public(_)) {
                    self.public.insert(child.clone());
                }
                self.add(folder, &path, child)?;
            }
        }
        Ok(())
    }

    /// Returns the names that the crate's root offers: its public modules, and the names that it passes on.
    pub fn root_names(&self) -> BTreeSet<&str> {
        let modules = self.public.iter().filter(|module| module.len() == 1).map(|module| module[0].as_str());
        let passed_on = self.passed_on.get(&Module::new()).into_iter().flat_map(BTreeMap::keys);
        modules.chain(passed_on.map(String::as_str)).collect()
    }

    /// Returns the files that each file uses, with the names.
    pub fn edges(&self) -> BTreeMap<Module, BTreeMap<Module, BTreeSet<String>>> {
        let mut edges = BTreeMap::<Module, BTreeMap<Module, BTreeSet<String>>>::new();
        for (from, paths) in &self.uses {
            for path in paths {
                let Some(to) = self.defines(from, path, 0).filter(|to| to != from) else { continue };
                let name = path.last().cloned().unwrap_or_default();
                edges.entry(from.clone()).or_default().entry(to).or_default().insert(name);
            }
        }
        edges
    }

    /// The file that defines what a path names; `None` when that is no file of the crate.
    fn defines(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let absolute = self.absolute(from, path)?;
        let held = (0..=absolute.len()).rev().find(|end| self.modules.contains(&absolute[..*end]))?;
        let (module, rest) = (absolute[..held].to_vec(), &absolute[held..]);
        let Some(name) = rest.first().filter(|_| depth < 8) else { return Some(module) };
        let named = self.passed_on.get(&module).and_then(|names| names.get(name));
        let behind = named.and_then(|path| self.defines(&module, path, depth + 1));
        Some(behind.unwrap_or(module))
    }

    fn absolute(&self, from: &Module, path: &[String]) -> Option<Vec<String>> {
        let up = path.iter().take_while(|part| *part == "super").count();
        let first = path.first()?;
        let (base, rest) = match first.as_str() {
            "crate" => (&[][..], &path[1..]),
            "self" => (&from[..], &path[1..]),
            "super" => (&from[..from.len().checked_sub(up)?], &path[up..]),
            _ => {
                let child: Module = from.iter().chain([first]).cloned().collect();
                (&from[..], if self.modules.contains(&child) { path } else { return None })
            }
        };
        Some(base.iter().chain(rest).cloned().collect())
    }
}

fn file_of(folder: &Path, module: &[String]) -> TestResult<PathBuf> {
    let path = module.iter().fold(folder.to_owned(), |path, part| path.join(part));
    let beside = path.with_extension("rs");
    let inside = path.join("mod.rs");
    [beside, inside]
        .into_iter()
        .find(|file| file.exists())
        .ok_or_else(|| format!("no file of {module:?}").into())
}

/// `#[cfg(test)]`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

/// Notes the paths of one file.
struct Reader<'s> {
    source: &'s mut Source,
    module: Module,
}

impl Reader<'_> {
    fn note(&mut self, path: Vec<String>) {
        self.source.uses.entry(self.module.clone()).or_default().push(path);
    }

    /// Notes the paths that begin with `crate` or `super` among the words of a macro.
    fn read_tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    if !path.is_empty() || matches!(word.as_str(), "crate" | "super") {
                        path.push(word);
                    }
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => {}
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    self.read_tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => self.end(&mut path),
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        if path.len() > 1 {
            self.note(path.clone());
        }
        path.clear();
    }

    fn read_use(&mut self, tree: &UseTree, before: &[String], public: bool) {
        let with = |name: String| -> Vec<String> { before.iter().cloned().chain([name]).collect() };
        match tree {
            UseTree::Path(path) => self.read_use(&path.tree, &with(path.ident.to_string()), public),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.read_use(item, before, public)),
            UseTree::Name(name) if name.ident == "self" => self.read_name(before.to_vec(), None, public),
            UseTree::Name(name) => self.read_name(with(name.ident.to_string()), None, public),
            UseTree::Rename(rename) => {
                self.read_name(with(rename.ident.to_string()), Some(rename.rename.to_string()), public);
            }
            UseTree::Glob(_) => self.note(before.to_vec()),
        }
    }

    fn read_name(&mut self, path: Vec<String>, renamed: Option<String>, public: bool) {
        if let Some(name) = renamed.or_else(|| path.last().cloned()).filter(|_| public) {
            self.source.passed_on.entry(self.module.clone()).or_default().insert(name, path.clone());
        }
        self.note(path);
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        let attributes = match item {
            Item::Mod(it) => &it.attrs,
            Item::Use(it) => &it.attrs,
            Item::Fn(it) => &it.attrs,
            Item::Impl(it) => &it.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.read_use(&item.tree, &[], !matches!(item.vis, syn::Visibility::Inherited));
    }

    /// `pub(in crate::config)` says who may use an item, and uses nothing.
    fn visit_vis_restricted(&mut self, _: &'a syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'a syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if matches!(parts[0].as_str(), "crate" | "self" | "super") && parts.len() > 1 {
            self.note(parts);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'a syn::Macro) {
        self.read_tokens(called.tokens.clone());
        visit::visit_macro(self, called);
    }
}

/// The circles among files that use each other, each with all its files. A file alone is none.
pub fn circles<T>(edges: &BTreeMap<Module, BTreeMap<Module, T>>) -> Vec<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        edges.keys().map(|from| (from, reachable(edges, from))).collect();
    let mut circles = BTreeSet::new();
    for (from, all) in &reached {
        if all.contains(from) {
            let back = all.iter().filter(|other| reached.get(*other).is_some_and(|all| all.contains(from)));
            circles.insert(back.map(|module| (*module).clone()).collect::<BTreeSet<Module>>());
        }
    }
    circles.into_iter().collect()
}

/// Everything that is used by way of others.
fn reachable<'e, T>(edges: &'e BTreeMap<Module, BTreeMap<Module, T>>, from: &Module) -> BTreeSet<&'e Module> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Module> = edges.get(from).into_iter().flat_map(BTreeMap::keys).collect();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(edges.get(next).into_iter().flat_map(BTreeMap::keys));
        }
    }
    found
}
