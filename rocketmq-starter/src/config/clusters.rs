//! `[rocketmq.clusters.<name>]`: further clusters, each with addresses, credentials and certificates of its own.

use super::keys::distance;
use super::properties::Access;
use super::section::Section;
use super::sources::Sources;
use super::tls::TlsProperties;
use crate::error::{Mistake, MistakeKind};
use std::collections::BTreeMap;

/// One cluster beside that of `[rocketmq]`. Producers, listeners and pull consumers go there by `cluster = "<name>"`.
///
/// ```
/// use rocketmq_starter::App;
///
/// let app = App::new()
///     .set("rocketmq.clusters.eu.name-server", "eu-1:9876;eu-2:9876")
///     .set("rocketmq.clusters.eu.access-key", "shop")
///     .set("rocketmq.clusters.eu.secret-key", "${EU_SECRET:none}")
///     .set("rocketmq.producers.eu.cluster", "eu")
///     .set("rocketmq.producers.eu.group", "order-service");
/// # drop(app);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClusterProperties {
    /// `name-server`. Required.
    pub name_server: Option<String>,
    /// Credentials, namespaces, encryption and instance name of everything that goes there.
    pub access: Access,
    /// `[rocketmq.clusters.<name>.tls]`: its certificates. Default: those of `[rocketmq.tls]`.
    pub tls: TlsProperties,
}

/// All named clusters.
pub(crate) type Clusters = BTreeMap<String, ClusterProperties>;

impl ClusterProperties {
    fn read(mut section: Section<'_>) -> Self {
        ClusterProperties {
            name_server: section.text("name-server"),
            access: Access::read(&mut section),
            tls: TlsProperties::read(section.below("tls")),
        }
    }
}

/// Reads every cluster that has a name.
pub(super) fn read(sources: &Sources, mistakes: &mut Vec<Mistake>) -> Clusters {
    let names = sources.names("rocketmq.clusters").into_iter();
    names
        .map(|(name, _)| {
            let section = Section::new(sources, &format!("rocketmq.clusters.{name}"), mistakes);
            (name, ClusterProperties::read(section))
        })
        .collect()
}

/// Reports clusters without an address, and certificates that contradict each other.
pub(crate) fn check(clusters: &Clusters, mistakes: &mut Vec<Mistake>) {
    for (name, cluster) in clusters {
        let table = format!("rocketmq.clusters.{name}");
        if cluster.name_server.is_none() {
            let message = format!("`{table}` has no address: set `{table}.name-server`");
            mistakes.push(Mistake::new(MistakeKind::NoNameServer, message));
        }
        cluster.tls.check(&format!("{table}.tls"), mistakes);
    }
}

/// The part of a producer's or consumer's settings that says where it connects, and as whom.
#[derive(Debug)]
pub(crate) struct Whereabouts<'a> {
    pub(crate) cluster: Option<&'a str>,
    pub(crate) name_server: &'a mut Option<String>,
    pub(crate) access: &'a mut Access,
}

/// Fills in what the cluster that is named says. `written`: the key of the name and its place, for messages.
pub(crate) fn settle(
    clusters: &Clusters,
    place: Whereabouts<'_>,
    written: &str,
    mistakes: &mut Vec<Mistake>,
) {
    let Some(name) = place.cluster else { return };
    let Some(cluster) = clusters.get(name) else {
        mistakes.push(unknown(clusters, name, written));
        return;
    };
    if place.name_server.is_some() {
        let message =
            format!("{written} is \"{name}\", and a `name-server` stands beside it: keep one of them");
        mistakes.push(Mistake::new(MistakeKind::WrongValue, message));
    }
    place.name_server.clone_from(&cluster.name_server);
    *place.access = std::mem::take(place.access).or(&cluster.access);
}

/// Names the key that names the cluster, and its place: the first of these keys that has a value.
pub(crate) fn written(sources: &Sources, keys: &[String]) -> String {
    let found = keys.iter().find_map(|key| sources.find(key).ok()?);
    match found {
        Some(found) => format!("`{}` in {}", found.written, found.origin),
        None => format!("`{}` in App::configure", keys.first().map_or("cluster", String::as_str)),
    }
}

fn unknown(clusters: &Clusters, name: &str, written: &str) -> Mistake {
    let hint = match clusters.keys().min_by_key(|known| distance(known, name)) {
        Some(near) => format!("the nearest cluster is `{near}`"),
        None => format!("add a table `[rocketmq.clusters.{name}]`"),
    };
    Mistake::new(
        MistakeKind::UnknownName,
        format!("{written} is \"{name}\", and no cluster has this name; {hint}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RocketmqProperties;

    const EU: &str = "[rocketmq.clusters.eu]\nname-server='eu:1'\naccess-key='k'\nsecret-key='s'\nnamespace-v2='n'\n\
                      [rocketmq.clusters.eu.tls]\nenable=true\nca='eu.pem'\n";

    fn clusters(toml: &str) -> (Clusters, Vec<String>) {
        let (sources, mut mistakes) = Sources::from_toml(toml, &[]);
        let clusters = RocketmqProperties::read(&sources, &mut mistakes).clusters;
        check(&clusters, &mut mistakes);
        (clusters, mistakes.iter().map(ToString::to_string).collect())
    }

    fn settled(
        name: Option<&str>,
        server: Option<&str>,
        mut access: Access,
    ) -> (Option<String>, Access, Vec<String>) {
        let (clusters, _) = clusters(EU);
        let (mut name_server, mut mistakes) = (server.map(str::to_owned), Vec::new());
        let place = Whereabouts { cluster: name, name_server: &mut name_server, access: &mut access };
        settle(&clusters, place, "`x.cluster` in a.toml:7", &mut mistakes);
        (name_server, access, mistakes.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_cluster_gives_address_and_access_and_own_values_go_first() {
        let (clusters, mistakes) = clusters(EU);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(clusters["eu"].tls.enable, Some(true));
        let own = Access { namespace_v2: Some("mine".to_owned()), ..Access::default() };
        let (server, access, mistakes) = settled(Some("eu"), None, own);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!((server.as_deref(), access.namespace_v2.as_deref()), (Some("eu:1"), Some("mine")));
        assert_eq!(access.access_key.as_ref().map(|key| key.expose()), Some("k"));
        let (server, access, _) = settled(None, Some("near:1"), Access::default());
        assert_eq!((server.as_deref(), access), (Some("near:1"), Access::default()));
    }

    #[test]
    fn a_name_without_a_cluster_and_two_addresses_are_mistakes() {
        let (_, _, mistakes) = settled(Some("ue"), None, Access::default());
        assert_eq!(
            mistakes,
            ["`x.cluster` in a.toml:7 is \"ue\", and no cluster has this name; the nearest cluster is `eu`"]
        );
        let (server, _, mistakes) = settled(Some("eu"), Some("far:1"), Access::default());
        assert!(mistakes.len() == 1 && mistakes[0].contains("keep one of them"), "{mistakes:?}");
        assert_eq!(server.as_deref(), Some("eu:1"));
        let none = unknown(&Clusters::default(), "eu", "`c`").to_string();
        assert!(none.ends_with("add a table `[rocketmq.clusters.eu]`"), "{none}");
    }

    #[test]
    fn a_cluster_needs_an_address_and_certificates_that_agree() {
        let (_, mistakes) =
            clusters("[rocketmq.clusters.eu.tls]\ncert='c.pem'\n[rocketmq.clusters.us]\nname-servr='x'");
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        assert!(mistakes[0].contains("nearest known key is `name-server`"), "{mistakes:?}");
        assert!(mistakes[1].contains("`rocketmq.clusters.eu.name-server`"), "{mistakes:?}");
        assert!(mistakes[2].contains("`rocketmq.clusters.eu.tls.key` is missing"), "{mistakes:?}");
    }
}
