//! Fields that 5.x clients may add to almost any request.

use crate::ext::ExtFields;

/// Namespace and addressee of a request. Kept out of the headers themselves: brokers work without them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoutingFields {
    /// `ns`: the 5.x namespace.
    pub namespace: Option<String>,
    /// `nsd`: the names in this request carry their namespace already.
    pub namespaced: Option<bool>,
    /// `bname`: the broker the request is meant for.
    pub broker_name: Option<String>,
    /// `oway`: no answer is expected.
    pub oneway: Option<bool>,
    /// `lo`: queue numbers are those of a static topic.
    pub logical: Option<bool>,
}

impl RoutingFields {
    /// Reads what is there; a bool is what Java's `parseBoolean` says.
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

    /// Adds what is set. To be done before a request is signed.
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
    fn what_is_set_comes_back() {
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
