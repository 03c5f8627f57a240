#![no_main]
//! Reads header structs from hostile fields, writes them as fields and expects to read the same. The input is the
//! fields, `name`, `value`, `name` and so on, separated by line feeds.

use libfuzzer_sys::fuzz_target;
use rocketmq_remoting::requests::broker::GetBrokerRuntimeInfoRequest;
use rocketmq_remoting::requests::heartbeat::HeartbeatResponse;
use rocketmq_remoting::requests::offset::ResetConsumerOffsetRequest;
use rocketmq_remoting::requests::pop::PopMessageRequest;
use rocketmq_remoting::requests::pull::PullMessageRequest;
use rocketmq_remoting::requests::route::RegisterBrokerRequest;
use rocketmq_remoting::requests::send::{SendMessageRequest, SendMessageV1Request};
use rocketmq_remoting::requests::transaction::EndTransactionRequest;
use rocketmq_remoting::{ExtFields, Header};

fn round_trip<T: Header + PartialEq + std::fmt::Debug>(ext: &ExtFields) {
    let Ok(header) = T::from_fields(ext) else { return };
    let fields = header.to_fields().expect("a header that was read can be written");
    assert_eq!(T::from_fields(&fields).expect("and read again"), header);
    let derived = ExtFields::from_header(&header).expect("the derived form too");
    assert_eq!(derived.header::<T>().expect("and it reads the same"), header);
}

fuzz_target!(|text: &str| {
    let lines: Vec<&str> = text.split('\n').collect();
    let ext: ExtFields = lines.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
    round_trip::<SendMessageRequest>(&ext);
    round_trip::<SendMessageV1Request>(&ext);
    round_trip::<PullMessageRequest>(&ext);
    round_trip::<PopMessageRequest>(&ext);
    round_trip::<EndTransactionRequest>(&ext);
    round_trip::<ResetConsumerOffsetRequest>(&ext);
    round_trip::<RegisterBrokerRequest>(&ext);
    round_trip::<GetBrokerRuntimeInfoRequest>(&ext);
    let _ = ext.header::<HeartbeatResponse>();
});
