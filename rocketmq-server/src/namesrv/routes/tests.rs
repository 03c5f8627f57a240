use super::*;

const NOW: i64 = 1_000_000;

fn version(state: i64, counter: i64) -> DataVersion {
    DataVersion { state_version: state, counter, timestamp: 7 }
}

fn topic(name: &str) -> TopicQueues {
    TopicQueues {
        topic: name.into(),
        read_queues: 4,
        write_queues: 4,
        perm: Perm(Perm::READ | Perm::WRITE),
        sys_flag: 0,
    }
}

/// A registration of broker `name` with id `id` at port `port`. It uses the port as the number of the connection.
fn broker(name: &str, id: i64, port: u16) -> Registration {
    Registration {
        cluster: "C".into(),
        broker_name: name.into(),
        broker_id: id,
        address: format!("127.0.0.1:{port}"),
        ha_address: format!("127.0.0.1:{}", port + 1),
        acting_master: Some(false),
        version: version(0, 1),
        topics: vec![topic("T"), topic("U")],
        connection: u64::from(port),
        ..Registration::default()
    }
}

fn member(port: u16) -> Member {
    Member { cluster: "C".into(), address: format!("127.0.0.1:{port}") }
}

fn table_of(registrations: impl IntoIterator<Item = Registration>) -> RouteTable {
    let mut table = RouteTable::default();
    for registration in registrations {
        table.register(registration, NOW).unwrap();
    }
    table
}

fn perm(table: &RouteTable, topic: &str, broker: &str) -> Option<i32> {
    table.topics.get(topic)?.get(broker).map(|queue| queue.perm.0)
}

#[test]
fn a_registered_topic_has_a_route() {
    let route = table_of([broker("a", 0, 1), broker("b", 0, 2)]).route("T").unwrap();
    assert_eq!(route.broker_datas.len(), 2);
    assert_eq!(route.broker("a").unwrap().master(), Some("127.0.0.1:1"));
    assert_eq!(route.queue_datas[1].broker_name, "b");
    assert_eq!(route.queue_datas[1].write_queue_nums, 4);
}

#[test]
fn an_unknown_topic_has_none() {
    assert_eq!(table_of([broker("a", 0, 1)]).route("X"), None);
}

#[test]
fn a_first_registration_of_one_topic_is_refused_and_changes_nothing() {
    let mut table = RouteTable::default();
    let lonely = Registration { topics: vec![topic("T")], ..broker("a", 0, 1) };
    assert_eq!(table.register(lonely, NOW), Err(SingleTopic));
    assert!(table.brokers.is_empty() && table.clusters.is_empty());
}

#[test]
fn a_registration_without_topics_is_accepted() {
    let table = table_of([Registration { topics: vec![], ..broker("a", 0, 1) }]);
    assert!(table.brokers.contains_key("a"));
}

#[test]
fn a_later_registration_of_one_topic_adds_it() {
    let update = Registration { topics: vec![topic("V")], version: version(0, 2), ..broker("a", 0, 1) };
    let table = table_of([broker("a", 0, 1), update]);
    assert!(table.route("V").is_some());
    assert!(table.route("T").is_some(), "unlisted topics stay");
}

#[test]
fn unlisted_topics_are_removed_if_the_rules_say_so() {
    let mut table = RouteTable::new(Rules { delete_missing_topics: true, ..Rules::default() });
    table.register(broker("a", 0, 1), NOW).unwrap();
    let fewer = Registration { topics: vec![topic("T")], version: version(0, 2), ..broker("a", 0, 1) };
    table.register(fewer, NOW).unwrap();
    assert!(table.route("T").is_some());
    assert!(table.route("U").is_none());
}

#[test]
fn a_registration_of_the_same_version_only_fills_gaps() {
    let mut table = table_of([broker("a", 0, 1)]);
    table.wipe_write_perm("a");
    table.topics.remove("U");
    table.register(broker("a", 0, 1), NOW).unwrap();
    assert_eq!(perm(&table, "T", "a"), Some(4), "wiped permissions survive a plain heartbeat");
    assert_eq!(perm(&table, "U", "a"), Some(6));

    table.register(Registration { version: version(0, 2), ..broker("a", 0, 1) }, NOW).unwrap();
    assert_eq!(perm(&table, "T", "a"), Some(6), "a new version overwrites them");
}

#[test]
fn a_slave_brings_no_topics_and_learns_its_master() {
    let mut table = table_of([broker("a", 0, 1)]);
    let slave = Registration { topics: vec![topic("X"), topic("Y")], ..broker("a", 1, 5) };
    let master = table.register(slave, NOW).unwrap();
    assert_eq!(master, Some(Master { address: "127.0.0.1:1".into(), ha_address: "127.0.0.1:2".into() }));
    assert!(table.route("X").is_none());
    assert_eq!(table.route("T").unwrap().broker_datas[0].broker_addrs.len(), 2);
}

#[test]
fn a_process_that_changed_its_role_is_found_under_the_new_one_only() {
    let table = table_of([broker("a", 1, 1), broker("a", 0, 1)]);
    let addresses = &table.brokers["a"].broker_addrs;
    assert_eq!(addresses.iter().collect::<Vec<_>>(), [(&0, &"127.0.0.1:1".to_owned())]);
}

#[test]
fn a_former_master_does_not_take_over() {
    let newer = Registration { version: version(3, 1), ..broker("a", 0, 1) };
    let table = table_of([newer, broker("a", 0, 9)]);
    assert_eq!(table.brokers["a"].master(), Some("127.0.0.1:1"));
    assert!(!table.is_live(&member(9)));
}

#[test]
fn the_current_master_takes_over_at_a_new_address() {
    let table = table_of([broker("a", 0, 1), Registration { version: version(1, 1), ..broker("a", 0, 9) }]);
    assert_eq!(table.brokers["a"].master(), Some("127.0.0.1:9"));
}

#[test]
fn the_last_member_takes_the_brokers_routes_with_it() {
    let mut table = table_of([broker("a", 0, 1), broker("b", 0, 2), broker("a", 1, 5)]);
    table.remove(&member(1));
    assert!(perm(&table, "T", "a").is_some(), "a slave still serves");
    table.remove(&member(5));
    assert_eq!(perm(&table, "T", "a"), None);
    assert!(table.route("T").is_some(), "the other broker is untouched");
    table.remove(&member(2));
    assert!(table.topics.is_empty() && table.clusters.is_empty() && table.brokers.is_empty());
}

#[test]
fn a_broker_silent_for_longer_than_allowed_expires() {
    let patient = Registration { timeout_ms: Some(500_000), ..broker("b", 0, 2) };
    let mut table = table_of([broker("a", 0, 1), patient, broker("c", 0, 3)]);
    assert!(table.expired(NOW + DEFAULT_TIMEOUT_MS).is_empty());
    table.touch(&member(3), NOW + 1);
    assert_eq!(table.expired(NOW + DEFAULT_TIMEOUT_MS + 1), [member(1)]);
}

#[test]
fn a_connection_lists_the_brokers_that_registered_over_it_last() {
    let mut table = table_of([broker("a", 0, 1)]);
    table.register(Registration { connection: 77, ..broker("a", 0, 1) }, NOW).unwrap();
    assert!(table.members_on(1).is_empty(), "the old connection's end must not remove the broker");
    assert_eq!(table.members_on(77), [member(1)]);
}

#[test]
fn permissions_are_wiped_and_added_per_broker() {
    let mut table = table_of([broker("a", 0, 1), broker("b", 0, 2)]);
    assert_eq!(table.wipe_write_perm("a"), 2);
    assert_eq!((perm(&table, "T", "a"), perm(&table, "T", "b")), (Some(4), Some(6)));
    assert_eq!(table.add_write_perm("a"), 2);
    assert_eq!(perm(&table, "T", "a"), Some(6));
    assert_eq!(table.wipe_write_perm("nobody"), 0);
}

#[test]
fn topics_are_deleted_in_one_cluster_or_everywhere() {
    let elsewhere = Registration { cluster: "D".into(), ..broker("b", 0, 2) };
    let mut table = table_of([broker("a", 0, 1), elsewhere]);
    table.delete_topic("T", Some("C"));
    assert_eq!((perm(&table, "T", "a"), perm(&table, "T", "b")), (None, Some(6)));
    table.delete_topic("T", Some("nowhere"));
    assert!(table.route("T").is_some());
    table.delete_topic("T", None);
    assert!(table.route("T").is_none());
}

#[test]
fn topics_are_added_on_registered_brokers_only() {
    let mut table = table_of([broker("a", 0, 1)]);
    let on = |name: &str| QueueData { broker_name: name.into(), ..QueueData::default() };
    table.add_topic("N", vec![on("a"), on("stranger")]);
    table.add_topic("M", vec![on("stranger")]);
    assert_eq!(table.route("N").unwrap().queue_datas.len(), 1);
    assert!(!table.topics.contains_key("M"));
}

fn with_acting_masters() -> RouteTable {
    let mut table = RouteTable::new(Rules { acting_master: true, ..Rules::default() });
    for (id, port) in [(0, 1), (1, 5), (2, 7)] {
        let able = Registration { acting_master: Some(true), ..broker("a", id, port) };
        table.register(able, NOW).unwrap();
    }
    table
}

#[test]
fn the_slave_with_the_lowest_id_is_shown_as_master_without_one() {
    let mut table = with_acting_masters();
    table.remove(&member(1));
    assert_eq!(perm(&table, "T", "a"), Some(4), "an acting master takes no messages");
    let route = table.route("T").unwrap();
    assert_eq!(route.broker("a").unwrap().master(), Some("127.0.0.1:5"));
    assert_eq!(table.brokers["a"].master(), None, "in the answer only");
}

#[test]
fn a_prime_slave_keeps_the_topics_readable() {
    let mut table = with_acting_masters();
    table.remove(&member(1));
    let prime = Registration {
        acting_master: Some(true),
        version: version(0, 2),
        topics: vec![topic("T"), topic("N")],
        ..broker("a", 1, 5)
    };
    table.register(prime, NOW).unwrap();
    assert_eq!(perm(&table, "N", "a"), Some(4));
}

#[test]
fn unit_lists_follow_the_flags_of_topics() {
    use super::super::lists::Units;
    let flagged = |name: &str, sys_flag| TopicQueues { sys_flag, ..topic(name) };
    let topics = vec![flagged("unit", 1), flagged("both", 3), flagged("sub", 2), topic("plain")];
    let table = table_of([Registration { topics, ..broker("a", 0, 1) }]);
    assert_eq!(table.unit_topics(Units::Own), ["both", "unit"]);
    assert_eq!(table.unit_topics(Units::Subscribed), ["both", "sub"]);
    assert_eq!(table.unit_topics(Units::SubscribedOnly), ["sub"]);
}

#[test]
fn lists_name_clusters_brokers_and_their_topics() {
    let elsewhere =
        Registration { cluster: "D".into(), topics: vec![topic("X"), topic("Y")], ..broker("b", 0, 2) };
    let table = table_of([broker("a", 0, 1), elsewhere]);
    assert_eq!(table.topics_of_cluster("D"), ["X", "Y"]);
    assert!(table.topics_of_cluster("nowhere").is_empty());
    assert_eq!(table.all_topics(), ["T", "U", "X", "Y"]);
    let (names, address) = table.system_topics();
    assert_eq!(names, ["C", "D", "a", "b"]);
    assert_eq!(address.as_deref(), Some("127.0.0.1:1"));
    assert_eq!(table.cluster_info().cluster_addr_table["D"], ["b"]);
    assert_eq!(table.member_group("C", "a").broker_addrs[&0], "127.0.0.1:1");
    assert!(table.member_group("D", "a").broker_addrs.is_empty());
}
