//! Registration of a broker at a name server.

#![allow(missing_docs)] // The fields bear the protocol's names; those that need it have a comment.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut};
use serde::{Deserialize, Serialize};

use super::topic::{TopicConfig, TopicConfigWrapper, TopicFilterType};
use crate::compress::{self, Compression};
use crate::error::{DecodeError, EncodeError};
use crate::fastjson;
use crate::route::{Perm, TopicQueueMappingInfo};
use crate::version::{V3_0_11, V5_0_0};

/// First byte of a zlib stream; JSON starts with `{`.
const ZLIB: u8 = 0x78;
/// Compression level of a registration, as in Java.
const LEVEL: i32 = 9;

/// The topics of a broker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RegisterBrokerBody {
    pub filter_server_list: Vec<String>,
    pub topic_config_serialize_wrapper: TopicConfigWrapper,
}

impl RegisterBrokerBody {
    /// Encodes the plain form.
    ///
    /// # Errors
    /// Never fails in practice, see [`fastjson::to_vec`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        fastjson::to_vec(self)
    }

    /// Decodes either form. The first byte tells which: 5.4.0 compresses and says it did not.
    ///
    /// `version` is that of the request. The inflated text may take up to `limit` bytes.
    ///
    /// # Errors
    /// Fails for text that is not JSON, a stream that is broken or too long, and a section that ends early.
    pub fn decode(body: &[u8], version: i32, limit: usize) -> Result<Self, DecodeError> {
        if body.first() == Some(&ZLIB) {
            let inflated = compress::decompress(Compression::Zlib, body, limit)?;
            return Self::from_sections(&inflated, version);
        }
        if body.is_empty() {
            return Ok(Self::default());
        }
        if version < V3_0_11 {
            let topic_config_serialize_wrapper = fastjson::from_slice(body)?;
            return Ok(Self { topic_config_serialize_wrapper, ..Self::default() });
        }
        fastjson::from_slice(body)
    }

    /// Encodes the compressed form. It loses `order` and `topicSysFlag` of each topic, and for a `version` before 5.0
    /// also the attributes.
    ///
    /// A 4.9 name server refuses the whole registration if one topic has attributes, whatever the version says. Every
    /// reader understands the form of [`encode`](Self::encode).
    ///
    /// # Errors
    /// Fails for a section over `i32::MAX` bytes, for attributes with a space, and without the feature `zlib`.
    pub fn encode_compressed(&self, version: i32) -> Result<Vec<u8>, EncodeError> {
        let topics = &self.topic_config_serialize_wrapper;
        let mut out = Vec::new();
        put_section(&mut out, &fastjson::to_vec(&topics.data_version)?)?;
        put_count(&mut out, topics.topic_config_table.len())?;
        for topic in topics.topic_config_table.values() {
            put_section(&mut out, topic_line(topic, version)?.as_bytes())?;
        }
        put_section(&mut out, &fastjson::to_vec(&self.filter_server_list)?)?;
        if version >= V5_0_0 {
            let none = BTreeMap::new();
            let mappings = topics.topic_queue_mapping_info_map.as_ref().unwrap_or(&none);
            put_count(&mut out, mappings.len())?;
            for mapping in mappings.values() {
                put_section(&mut out, &fastjson::to_vec(mapping)?)?;
            }
        }
        compress::compress(Compression::Zlib, LEVEL, &out)
    }

    fn from_sections(mut text: &[u8], version: i32) -> Result<Self, DecodeError> {
        let mut topics = TopicConfigWrapper {
            data_version: fastjson::from_slice(section(&mut text, "dataVersion")?)?,
            ..TopicConfigWrapper::default()
        };
        for _ in 0..count(&mut text, "topic count")? {
            let topic = parse_topic_line(section(&mut text, "topic")?)?;
            topics.topic_config_table.insert(topic.topic_name.clone(), topic);
        }
        let filter_server_list = fastjson::from_slice(section(&mut text, "filterServerList")?)?;
        if version >= V5_0_0 {
            let mut mappings = BTreeMap::new();
            for _ in 0..count(&mut text, "mapping count")? {
                let mapping: TopicQueueMappingInfo = fastjson::from_slice(section(&mut text, "mapping")?)?;
                mappings.insert(mapping.topic.clone(), mapping);
            }
            topics.topic_queue_mapping_info_map = Some(mappings);
        }
        Ok(Self { filter_server_list, topic_config_serialize_wrapper: topics })
    }
}

/// Writes a topic as words. 4.9 reads exactly five words; 5.x also reads a sixth with the attributes, if there are any.
fn topic_line(topic: &TopicConfig, version: i32) -> Result<String, EncodeError> {
    let attributes = match topic.attributes.is_empty() || version < V5_0_0 {
        true => String::new(),
        false => String::from_utf8_lossy(&fastjson::to_vec(&topic.attributes)?).into_owned(),
    };
    if attributes.contains(' ') || topic.topic_name.contains(' ') {
        let why = format!("{} or its attributes hold a space; register uncompressed", topic.topic_name);
        return Err(EncodeError::new("topic", why));
    }
    let TopicConfig { topic_name, read_queue_nums, write_queue_nums, perm, topic_filter_type, .. } = topic;
    let kind = topic_filter_type.name();
    let line = format!("{topic_name} {read_queue_nums} {write_queue_nums} {} {kind}", perm.0);
    Ok(if attributes.is_empty() { line } else { format!("{line} {attributes}") })
}

/// Reads five words, or six with attributes.
fn parse_topic_line(line: &[u8]) -> Result<TopicConfig, DecodeError> {
    let line = String::from_utf8_lossy(line);
    let words: Vec<&str> = line.split(' ').collect();
    let [name, read, write, perm, kind, attributes @ ..] = words.as_slice() else {
        return Err(DecodeError::new("topic", format!("five or six words; it is {line:?}")));
    };
    let number = |word: &str| {
        word.parse()
            .map_err(|_| DecodeError::new("topic", format!("a number in place of {word:?} in {line:?}")))
    };
    Ok(TopicConfig {
        attributes: match attributes {
            [] => BTreeMap::new(),
            [first, ..] => fastjson::from_slice(first.as_bytes())?,
        },
        perm: Perm(number(perm)?),
        read_queue_nums: number(read)?,
        topic_filter_type: TopicFilterType::from_name(kind).ok_or_else(|| {
            DecodeError::new("topicFilterType", format!("SINGLE_TAG or MULTI_TAG; it is {kind:?}"))
        })?,
        topic_name: (*name).to_owned(),
        write_queue_nums: number(write)?,
        ..TopicConfig::default()
    })
}

fn put_count(out: &mut Vec<u8>, count: usize) -> Result<(), EncodeError> {
    let count = i32::try_from(count).map_err(|_| EncodeError::new("section", "over 2 GiB"))?;
    out.put_i32(count);
    Ok(())
}

fn put_section(out: &mut Vec<u8>, text: &[u8]) -> Result<(), EncodeError> {
    put_count(out, text.len())?;
    out.extend_from_slice(text);
    Ok(())
}

fn count(text: &mut &[u8], name: &'static str) -> Result<usize, DecodeError> {
    let count = text.try_get_i32().map_err(|_| DecodeError::new(name, "four bytes; the body ends"))?;
    usize::try_from(count).map_err(|_| DecodeError::new(name, format!("at least 0; it is {count}")))
}

fn section<'a>(text: &mut &'a [u8], name: &'static str) -> Result<&'a [u8], DecodeError> {
    let len = count(text, name)?;
    match text.split_at_checked(len) {
        Some((section, rest)) => {
            *text = rest;
            Ok(section)
        }
        None => Err(DecodeError::new(name, format!("{len} bytes; {} are left", text.len()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> RegisterBrokerBody {
        let topic = |name: &str, kind| TopicConfig {
            topic_name: name.into(),
            topic_filter_type: kind,
            read_queue_nums: 4,
            attributes: BTreeMap::from([("message.type".into(), "FIFO".into())]),
            ..TopicConfig::default()
        };
        let mut body = RegisterBrokerBody::default();
        let table = &mut body.topic_config_serialize_wrapper.topic_config_table;
        table.insert("TA".into(), topic("TA", TopicFilterType::SingleTag));
        table.insert("TB".into(), topic("TB", TopicFilterType::MultiTag));
        body.topic_config_serialize_wrapper.data_version.counter = 7;
        body
    }

    #[test]
    fn the_plain_form_round_trips() {
        let bytes = body().encode().unwrap();
        assert_eq!(RegisterBrokerBody::decode(&bytes, 479, 1 << 20).unwrap(), body());
        assert_eq!(RegisterBrokerBody::decode(b"", 479, 1 << 20).unwrap(), RegisterBrokerBody::default());
    }

    #[test]
    fn an_old_broker_sends_the_topics_alone() {
        let bytes = fastjson::to_vec(&body().topic_config_serialize_wrapper).unwrap();
        assert_eq!(RegisterBrokerBody::decode(&bytes, 36, 1 << 20).unwrap(), body());
    }

    #[cfg(feature = "zlib")]
    #[test]
    fn the_compressed_form_is_sniffed() {
        for version in [407, 413, 493] {
            let bytes = body().encode_compressed(version).unwrap();
            assert_eq!(bytes[0], ZLIB);
            let mut expected = body();
            let topics = &mut expected.topic_config_serialize_wrapper;
            if version >= V5_0_0 {
                topics.topic_queue_mapping_info_map = Some(BTreeMap::new());
            } else {
                topics.topic_config_table.values_mut().for_each(|topic| topic.attributes.clear());
            }
            assert_eq!(RegisterBrokerBody::decode(&bytes, version, 1 << 20).unwrap(), expected);
            assert!(RegisterBrokerBody::decode(&bytes, version, 20).is_err());
        }
        let without_mappings = body().encode_compressed(407).unwrap();
        let error = RegisterBrokerBody::decode(&without_mappings, 493, 1 << 20).unwrap_err();
        assert_eq!(error.at(), Some("mapping count"));
    }

    #[test]
    fn topic_lines_of_both_lines() {
        let topic = parse_topic_line(b"TX 4 5 6 SINGLE_TAG").unwrap();
        assert_eq!((topic.read_queue_nums, topic.write_queue_nums, topic.perm), (4, 5, Perm(6)));
        assert!(parse_topic_line(b"TC9 1 1 6 MULTI_TAG {}").unwrap().attributes.is_empty());
        for bad in ["", "T 1 1 6", "T x 1 6 SINGLE_TAG", "T 1 1 6 NO_TAG"] {
            assert!(parse_topic_line(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_topic_line_is_no_longer_than_4_9_can_read() {
        let mut topic = TopicConfig { topic_name: "T".into(), ..TopicConfig::default() };
        assert_eq!(topic_line(&topic, 493).unwrap(), "T 16 16 6 SINGLE_TAG");
        topic.attributes.insert("message.type".into(), "FIFO".into());
        assert_eq!(topic_line(&topic, 407).unwrap(), "T 16 16 6 SINGLE_TAG");
        assert_eq!(topic_line(&topic, 493).unwrap(), r#"T 16 16 6 SINGLE_TAG {"message.type":"FIFO"}"#);
    }
    #[test]
    fn hostile_sections_are_refused() {
        let mut text: &[u8] = &[0x7f, 0xff, 0xff, 0xff, 1];
        assert!(section(&mut text, "topic").is_err());
        assert!(count(&mut &[0xff; 4][..], "topic").is_err());
    }
}
