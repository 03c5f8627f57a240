//! Restricts routes to the zone of a client.

use rocketmq_remoting::route::TopicRoute;

/// Removes the brokers of other zones. A broker without a master stays: its zone serves no writes anyway, and its
/// slaves may hold the only copy to read.
pub(super) fn keep_zone(route: &mut TopicRoute, zone: &str) {
    route.broker_datas.retain(|broker| {
        let own = broker.zone_name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(zone));
        own || broker.master().is_none()
    });
    let TopicRoute { broker_datas, queue_datas, .. } = route;
    queue_datas.retain(|queue| broker_datas.iter().any(|broker| broker.broker_name == queue.broker_name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use rocketmq_remoting::route::{BrokerData, QueueData};

    fn broker(name: &str, id: i64, zone: Option<&str>) -> BrokerData {
        BrokerData {
            broker_name: name.into(),
            broker_addrs: [(id, "127.0.0.1:1".to_owned())].into(),
            zone_name: zone.map(str::to_owned),
            ..BrokerData::default()
        }
    }

    #[test]
    fn brokers_of_other_zones_go_unless_they_lack_a_master() {
        let brokers = vec![
            broker("here", 0, Some("East")),
            broker("there", 0, Some("west")),
            broker("nowhere", 0, None),
            broker("orphan", 1, Some("west")),
        ];
        let queues =
            brokers.iter().map(|b| QueueData { broker_name: b.broker_name.clone(), ..QueueData::default() });
        let mut route =
            TopicRoute { queue_datas: queues.collect(), broker_datas: brokers, ..TopicRoute::default() };
        keep_zone(&mut route, "east");
        let names: Vec<_> = route.queue_datas.iter().map(|queue| queue.broker_name.as_str()).collect();
        assert_eq!(names, ["here", "orphan"]);
        assert_eq!(route.broker_datas.len(), 2);
    }
}
