//! The expansion names everything by its absolute path.
#![allow(dead_code)]

struct Result;
struct Vec;
struct Option;
mod core {}
mod std {}

use rocketmq_starter::rocketmq_listener;

#[rocketmq_listener(topic = "orders", group = "billing")]
async fn handle(_text: rocketmq_starter::Text) {}

fn main() {}
