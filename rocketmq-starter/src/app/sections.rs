//! Reads the sections of the application's own at its start.

use crate::config::sources::Sources;
use crate::config::typed;
use crate::context::Sections;
use crate::error::{Mistake, MistakeKind};
use serde::de::DeserializeOwned;
use std::any::{Any, TypeId, type_name};
use std::borrow::Cow;
use std::panic::Location;
use std::sync::Arc;

type Read = fn(&Sources, &str) -> Result<Arc<dyn Any + Send + Sync>, Mistake>;

/// A section to read, and its type.
#[derive(Debug)]
pub(crate) struct SectionReader {
    section: Cow<'static, str>,
    id: TypeId,
    of: &'static str,
    place: &'static Location<'static>,
    read: Read,
}

impl SectionReader {
    #[track_caller]
    pub(crate) fn of<T: DeserializeOwned + Send + Sync + 'static>(section: Cow<'static, str>) -> Self {
        SectionReader {
            section,
            id: TypeId::of::<T>(),
            of: type_name::<T>(),
            place: Location::caller(),
            read: |sources, section| Ok(Arc::new(typed::read::<T>(sources, section)?)),
        }
    }
}

/// Reads all sections, or reports the mistakes of each.
pub(crate) fn read(readers: &[SectionReader], sources: &Sources, mistakes: &mut Vec<Mistake>) -> Sections {
    let mut sections = Sections::default();
    for reader in readers {
        let SectionReader { section, of, place, .. } = reader;
        if sections.contains(reader.id) {
            let message = format!(
                "`.config::<{of}>(\"{section}\")` at {place}: another section has this type already; read this one by \
                 `Context::config`, or give it a type of its own"
            );
            mistakes.push(Mistake::new(MistakeKind::WrongValue, message));
            continue;
        }
        match (reader.read)(sources, section) {
            Ok(value) => sections.insert(reader.id, value),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    sections
}

/// Tells whether the application gives this type, even if it cannot be read.
pub(crate) fn is_given(readers: &[SectionReader], id: TypeId) -> bool {
    readers.iter().any(|reader| reader.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    type Section = BTreeMap<String, u8>;

    #[test]
    fn the_mistakes_of_all_sections_are_reported_and_a_type_has_one_section() {
        let readers = [
            SectionReader::of::<Section>("good".into()),
            SectionReader::of::<BTreeMap<String, u16>>("bad".into()),
            SectionReader::of::<BTreeMap<String, i8>>("worse".into()),
            SectionReader::of::<Section>("bad".into()),
        ];
        let (sources, mut mistakes) =
            Sources::from_toml("[good]\na = 1\n[bad]\nb = 'x'\n[worse]\nc = 300", &[]);
        let sections = read(&readers, &sources, &mut mistakes);
        let texts: Vec<_> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].contains("`bad.b` in application.toml:4"), "{texts:?}");
        assert!(texts[1].contains("`worse.c` in application.toml:6"), "{texts:?}");
        assert!(texts[2].contains("another section has this type already"), "{texts:?}");
        assert!(sections.contains(TypeId::of::<Section>()) && !sections.contains(TypeId::of::<u8>()));
        assert!(is_given(&readers, TypeId::of::<BTreeMap<String, u16>>()));
    }
}
