//! Shares out the queues of a topic among the members of a group if the broker decides, by Java's two
//! strategies, on sorted members and sorted queues.

/// Consecutive queues for each member; the first members get one more when it does not divide.
pub(crate) fn averagely<Q: Clone>(queues: &[Q], members: usize, index: usize) -> Vec<Q> {
    if members == 0 || index >= members {
        return Vec::new();
    }
    let (share, rest) = (queues.len() / members, queues.len() % members);
    let first = index * share + index.min(rest);
    let count = share + usize::from(index < rest);
    queues.iter().skip(first).take(count).cloned().collect()
}

/// Every n-th queue for each member.
pub(crate) fn by_circle<Q: Clone>(queues: &[Q], members: usize, index: usize) -> Vec<Q> {
    if members == 0 {
        return Vec::new();
    }
    queues.iter().skip(index).step_by(members).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_queues_among_four() {
        let queues: Vec<i32> = (0..10).collect();
        let shares: Vec<Vec<i32>> = (0..4).map(|index| averagely(&queues, 4, index)).collect();
        assert_eq!(shares, [vec![0, 1, 2], vec![3, 4, 5], vec![6, 7], vec![8, 9]]);
        assert_eq!(by_circle(&queues, 4, 1), [1, 5, 9]);
    }

    #[test]
    fn more_members_than_queues_leaves_some_with_none() {
        assert_eq!(averagely(&[1, 2], 3, 1), [2]);
        assert!(averagely(&[1, 2], 3, 2).is_empty());
        assert!(averagely(&[1], 0, 0).is_empty());
    }
}
