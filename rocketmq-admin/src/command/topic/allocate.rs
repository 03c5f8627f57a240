//! `allocateMQ`: how the members of a group would divide the queues of a topic.

use std::collections::BTreeMap;
use std::fmt;

use clap::Args;
use rocketmq_remoting::fastjson;
use rocketmq_remoting::route::{MessageQueue, TopicRoute};
use serde::Serialize;

use crate::admin::Admin;
use crate::command::reports;
use crate::failure::Failure;

/// Show how members would divide the queues of a topic
#[derive(Debug, Clone, Default, Args)]
#[command(after_help = "Example:\n  mqadmin allocateMQ -n 127.0.0.1:9876 -t orders -i 10.0.0.1,10.0.0.2")]
pub struct AllocateMq {
    /// The topic
    #[arg(short = 't', long)]
    pub topic: String,
    /// The members, such as their addresses
    #[arg(short = 'i', long = "ipList", value_name = "MEMBERS", value_delimiter = ',', required = true)]
    pub members: Vec<String>,
}

reports!(AllocateMq);

impl AllocateMq {
    /// Divides the queues.
    ///
    /// # Errors
    /// There is no such topic, or no name server answers.
    pub async fn report(&self, admin: &Admin) -> Result<Allocation, Failure> {
        let queues = queues_to_read(&self.topic, &admin.route(&self.topic).await?);
        Ok(Allocation { result: divide(&queues, &self.members) })
    }
}

/// Gives each member a run of queues; the first members have one more where they do not come out even.
fn divide(queues: &[MessageQueue], members: &[String]) -> BTreeMap<String, Vec<MessageQueue>> {
    let (count, mut rest, mut result) = (members.len().max(1), queues, BTreeMap::new());
    for (index, member) in members.iter().enumerate() {
        let (share, left) = rest.split_at(queues.len() / count + usize::from(index < queues.len() % count));
        result.insert(member.clone(), share.to_vec());
        rest = left;
    }
    result
}

/// The queues that consumers read, sorted.
pub(crate) fn queues_to_read(topic: &str, route: &TopicRoute) -> Vec<MessageQueue> {
    let readable = route.queue_datas.iter().filter(|queues| queues.perm.is_readable());
    let mut all: Vec<_> = readable
        .flat_map(|queues| {
            (0..queues.read_queue_nums).map(|id| MessageQueue::new(topic, &*queues.broker_name, id))
        })
        .collect();
    all.sort();
    all
}

/// The queues of each member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allocation {
    /// By member.
    pub result: BTreeMap<String, Vec<MessageQueue>>,
}

impl fmt::Display for Allocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = fastjson::to_vec(self).map_err(|_| fmt::Error)?;
        writeln!(f, "{}", String::from_utf8_lossy(&json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(queues: i32, members: &[&str]) -> Vec<Vec<i32>> {
        let queues: Vec<_> = (0..queues).map(|id| MessageQueue::new("t", "b", id)).collect();
        let members: Vec<_> = members.iter().map(|name| (*name).to_owned()).collect();
        let ids = |share: Vec<MessageQueue>| share.iter().map(|queue| queue.queue_id).collect();
        divide(&queues, &members).into_values().map(ids).collect()
    }

    #[test]
    fn the_first_members_have_one_more() {
        assert_eq!(shares(5, &["a", "b", "c"]), [vec![0, 1], vec![2, 3], vec![4]]);
        assert_eq!(shares(1, &["a", "b"]), [vec![0], vec![]]);
        assert_eq!(shares(0, &["a"]), [Vec::<i32>::new()]);
        assert!(shares(3, &[]).is_empty());
    }
}
