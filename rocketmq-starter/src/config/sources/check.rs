//! Checks all sources: a key below `rocketmq` is known and takes its text, or it is a mistake.

use super::{Sources, nearest};
use crate::config::entry::Entry;
use crate::config::keys::{self, Node};
use crate::config::origin::Origin;
use crate::error::{Mistake, MistakeKind};
use crate::placeholder::{PlaceholderError, variable_name};

/// Variables of Apache's programs, which begin like ours.
const APACHES: [&str; 1] = ["ROCKETMQ_HOME"];
/// A variable with at most so many typing errors is meant to be the key.
const TYPING_ERRORS: usize = 2;

impl Sources {
    /// Reports every key that is not known and every text that its key does not take, also where nothing reads it, in the
    /// order of the lines.
    pub(crate) fn check(&self, mistakes: &mut Vec<Mistake>) {
        let mut found = self.misplaced.clone();
        let overridden = self.overridden.iter().map(|(path, entry)| (path, entry));
        for (path, entry) in overridden.chain(&self.files).chain(&self.set) {
            if let Some(below) = path.strip_prefix("rocketmq.")
                && let Ok(place) = keys::follow(below.split('.'))
            {
                found.extend(self.check_entry(place.node, entry));
            }
        }
        found.extend(
            self.of_variables().iter().filter_map(|(place, entry)| self.check_entry(place.node, entry)),
        );
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        mistakes.extend(found.into_iter().map(|(_, mistake)| mistake));
    }

    /// Warns of Spring's keys without a meaning here.
    pub(crate) fn warn_of_no_effect(&self) {
        let of_variables = self.of_variables().into_iter().map(|(place, entry)| (place.path, entry));
        let files = self.files.iter().chain(&self.set).map(|(path, entry)| (path.clone(), entry.clone()));
        for (path, Entry { written, .. }) in files.chain(of_variables) {
            let below = path.split('.').skip(1);
            if let Ok(keys::Place { node: Node::NoEffect(why), .. }) = keys::follow(below) {
                tracing::warn!(key = written, why, "this key has no effect here");
            }
        }
    }

    fn check_entry(&self, node: Node, entry: &Entry) -> Option<(Origin, Mistake)> {
        let Entry { written, text, origin } = entry;
        let mistake = match self.resolve(text) {
            Ok(text) => {
                let (takes, secret) = node.refuses(&text)?;
                wrong_value(written, &text, secret, origin, &takes)
            }
            // A key that is read reports it; others may have no value.
            Err(PlaceholderError::Missing { .. }) => return None,
            Err(error) => unresolved(written, origin, &error),
        };
        Some((origin.clone(), mistake))
    }

    /// Reports variables that are meant for a key but misspelt. Those far from every key may be for another program.
    pub(crate) fn check_variables(&self, mistakes: &mut Vec<Mistake>) {
        let used = self.used();
        for name in
            self.variables.0.keys().filter(|name| !used.contains(*name) && !APACHES.contains(&name.as_str()))
        {
            match nearest(name) {
                None | Some((0, _)) => {}
                Some((distance, place)) if distance <= TYPING_ERRORS => {
                    let message = format!(
                        "the variable {name} stands for no key; did you mean {}, which is `{}`?",
                        variable_name(&place.path),
                        place.path
                    );
                    mistakes.push(Mistake::new(MistakeKind::UnknownKey, message));
                }
                Some((_, place)) => {
                    let nearest = variable_name(&place.path);
                    tracing::warn!(variable = name, nearest, "this variable stands for no key");
                }
            }
        }
    }
}

/// Names the key whose placeholder has no value, and the place where it was written.
pub(super) fn unresolved(written: &str, origin: &Origin, error: &PlaceholderError) -> Mistake {
    Mistake::new(MistakeKind::Placeholder, format!("`{written}` in {origin}: {error}"))
}

/// Names the key, the value, what is taken and where it was written; the value of a secret is not shown.
pub(crate) fn wrong_value(written: &str, text: &str, secret: bool, origin: &Origin, takes: &str) -> Mistake {
    let shown = if secret { "(hidden)".to_owned() } else { format!("\"{text}\"") };
    let message = format!("`{written}` is {shown} in {origin}; it takes {takes}");
    Mistake::new(MistakeKind::WrongValue, message)
}
