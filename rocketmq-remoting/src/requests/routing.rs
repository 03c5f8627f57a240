//! Fields that 5.x clients may add to almost any request.

use crate::ext::ExtFields;

/// Namespace and addressee of a request. They are no part of the header structs, because brokers work without them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingFields {
    /// The 5.x namespace, field `ns`.
    pub namespace: Option<String>,
    /// True if the names in the request already contain their namespace, field `nsd`.
    pub namespaced: Option<bool>,
    /// The broker that the request is for, field `bname`.
    pub broker_name: Option<String>,
    /// True if the sender expects no response, field `oway`.
    pub oneway: Option<bool>,
    /// True if queue ids are those of a static topic, field `lo`.
    pub logical: Option<bool>,
}

impl RoutingFields {
    /// Reads the fields that are present. Only `true`, in any case, is true, as for Java's `parseBoolean`.
    pub fn read(ext: &ExtFields) -> Self {
        let text = |name| ext.get(name).map(str::to_owned);
        let truth = |name| ext.get(name).map(|value: &str| value.eq_ignore_ascii_case("true"));
        Self {
            namespace: text("ns"),
            namespaced: truth("nsd"),
            broker_name: text("bname"),
            oneway: truth("oway"),
            logical: truth("lo"),
        }
    }

    /// Adds the fields that are set. Call it before the request is signed.
    pub fn apply(&self, ext: &mut ExtFields) {
        let texts = [("ns", &self.namespace), ("bname", &self.broker_name)];
        for (name, value) in texts {
            if let Some(value) = value {
                ext.set(name, value);
            }
        }
        let truths = [("nsd", self.namespaced), ("oway", self.oneway), ("lo", self.logical)];
        for (name, value) in truths {
            if let Some(value) = value {
                ext.set(name, if value { "true" } else { "false" });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_are_set_read_back() {
        let fields = RoutingFields {
            broker_name: Some("broker-a".into()),
            namespaced: Some(true),
            ..RoutingFields::default()
        };
        let mut ext = ExtFields::new();
        fields.apply(&mut ext);
        assert_eq!(ext.len(), 2);
        assert_eq!(RoutingFields::read(&ext), fields);
    }
}
