//! The brokers of clusters.

use rocketmq_remoting::Json;
use rocketmq_remoting::requests::broker::GetBrokerRuntimeInfoRequest;
use rocketmq_remoting::requests::route::GetClusterInfoRequest;
use rocketmq_remoting::route::ClusterInfo;
use serde::Serialize;
use std::collections::BTreeMap;

use super::Admin;
use crate::failure::Failure;

/// One broker of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Broker {
    /// Its cluster.
    pub cluster: String,
    /// Its name, which a master shares with its slaves.
    pub name: String,
    /// Its id: 0 for a master.
    pub id: i64,
    /// Its `host:port`.
    pub address: String,
}

impl Admin {
    /// Asks for all clusters and brokers.
    ///
    /// # Errors
    /// No name server answers.
    pub async fn cluster_info(&self) -> Result<ClusterInfo, Failure> {
        let Json(info) = self.ask_name_server(&GetClusterInfoRequest {}).await?;
        Ok(info)
    }

    /// Lists the brokers of one cluster, or of all: by cluster, name and id.
    ///
    /// # Errors
    /// No name server answers, or there is no such cluster.
    pub async fn brokers(&self, cluster: Option<&str>) -> Result<Vec<Broker>, Failure> {
        let info = self.cluster_info().await?;
        if let Some(wanted) = cluster.filter(|wanted| !info.cluster_addr_table.contains_key(*wanted)) {
            return Err(no_cluster(wanted, &info));
        }
        Ok(list(&info, cluster))
    }

    /// Lists the masters of a cluster, by name.
    ///
    /// # Errors
    /// As [`brokers`](Self::brokers), or the cluster has no master.
    pub async fn masters(&self, cluster: &str) -> Result<Vec<Broker>, Failure> {
        let masters = self.brokers(Some(cluster)).await?.into_iter().filter(|broker| broker.id == 0);
        let masters: Vec<_> = masters.collect();
        match masters.is_empty() {
            true => Err(Failure::refused(format!("no broker of cluster \"{cluster}\" is a master"))
                .with_remedy("`mqadmin clusterList` lists the brokers")),
            false => Ok(masters),
        }
    }

    /// Asks a broker for its figures.
    ///
    /// # Errors
    /// The broker does not answer.
    pub async fn runtime_info(&self, address: &str) -> Result<BTreeMap<String, String>, Failure> {
        let Json(figures) = self.call(address, &GetBrokerRuntimeInfoRequest {}, ()).await?;
        Ok(figures.table)
    }
}

fn no_cluster(wanted: &str, info: &ClusterInfo) -> Failure {
    let there: Vec<_> = info.cluster_addr_table.keys().map(String::as_str).collect();
    Failure::refused(format!("there is no cluster \"{wanted}\""))
        .with_remedy(format!("the name server knows: {}", there.join(", ")))
}

fn list(info: &ClusterInfo, wanted: Option<&str>) -> Vec<Broker> {
    let mut brokers = Vec::new();
    for (cluster, names) in
        info.cluster_addr_table.iter().filter(|(name, _)| wanted.is_none_or(|it| it == *name))
    {
        let mut names: Vec<_> = names.iter().collect();
        names.sort();
        for data in names.into_iter().filter_map(|name| info.broker_addr_table.get(name)) {
            brokers.extend(data.broker_addrs.iter().map(|(id, address)| Broker {
                cluster: cluster.clone(),
                name: data.broker_name.clone(),
                id: *id,
                address: address.clone(),
            }));
        }
    }
    brokers
}
