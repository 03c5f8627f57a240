//! Version ordinals: what a peer puts into a header's `version` member.
//!
//! An ordinal is a position in Apache's list of versions, snapshots before releases, two for each patch level. Peers
//! compare them to decide what the other side understands, so a command should never go out without one.

/// First version that reads the full registration body.
pub const V3_0_11: i32 = 37;
/// First version whose `maxReconsumeTimes` header is honoured.
pub const V3_4_9: i32 = 121;
/// First broker a Java client believes capable of SQL92 filters.
pub const V4_1_0_SNAPSHOT: i32 = 232;
/// First version that is sent route data as standard JSON.
pub const V4_9_4: i32 = 401;
/// The last 4.9 release this project is checked against.
pub const V4_9_7: i32 = 407;
/// First version whose compressed registration has a static-topic section.
pub const V5_0_0: i32 = 413;
/// Last version that is never sent `GO_AWAY`.
pub const V5_3_1: i32 = 475;
/// The level of behaviour this project implements.
pub const V5_3_3: i32 = 479;
/// The last 5.x release this project is checked against.
pub const V5_4_0: i32 = 493;

/// What commands made here advertise. It is over [`V5_3_1`], so a client has to expect `GO_AWAY`.
pub const CURRENT: i32 = V5_3_3;
/// What Apache calls [`CURRENT`].
pub const CURRENT_NAME: &str = "V5_3_3";

/// The ordinal of release `major.minor.patch`, for 4.x and 5.x with one-digit minor and patch numbers.
///
/// `None` outside that range: earlier versions follow no formula.
pub const fn ordinal(major: u8, minor: u8, patch: u8) -> Option<i32> {
    let base = match major {
        4 => 213,
        5 => 413,
        _ => return None,
    };
    if minor > 9 || patch > 9 {
        return None;
    }
    Some(base + 2 * (10 * minor as i32 + patch as i32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_formula_agrees_with_the_list() {
        assert_eq!(ordinal(4, 0, 0), Some(213));
        assert_eq!(ordinal(4, 9, 4), Some(V4_9_4));
        assert_eq!(ordinal(4, 9, 7), Some(V4_9_7));
        assert_eq!(ordinal(5, 0, 0), Some(V5_0_0));
        assert_eq!(ordinal(5, 3, 3), Some(V5_3_3));
        assert_eq!(ordinal(5, 4, 0), Some(V5_4_0));
        assert_eq!(ordinal(3, 4, 9), None);
    }
}
