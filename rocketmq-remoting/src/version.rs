//! Version ordinals: the numbers in the `version` member of a header.
//!
//! An ordinal is a position in Apache's list of versions: two for each patch level, the snapshot before the release.
//! Peers compare ordinals to learn what the other side understands, so send one with every command.
//!
//! ```
//! use rocketmq_remoting::version;
//!
//! assert_eq!(version::ordinal(5, 3, 3), Some(version::CURRENT));
//! assert!(version::V4_9_7 < version::V5_0_0);
//! ```

/// First broker version that registers with a [full body](crate::body::RegisterBrokerBody); earlier ones send the
/// topics alone.
pub const V3_0_11: i32 = 37;
/// First version whose header field `maxReconsumeTimes` counts.
pub const V3_4_9: i32 = 121;
/// First broker version that a Java client takes to support SQL92 filters.
pub const V4_1_0_SNAPSHOT: i32 = 232;
/// First client version that receives routes as standard JSON.
pub const V4_9_4: i32 = 401;
/// The last 4.9 release this project is checked against.
pub const V4_9_7: i32 = 407;
/// First broker version whose compressed registration has a section for static topics.
pub const V5_0_0: i32 = 413;
/// Last client version that never receives `GO_AWAY`.
pub const V5_3_1: i32 = 475;
/// The version whose behaviour this project implements.
pub const V5_3_3: i32 = 479;
/// The last 5.x release this project is checked against.
pub const V5_4_0: i32 = 493;

/// The version that commands of this crate carry. It is later than [`V5_3_1`], so a client must expect `GO_AWAY`.
pub const CURRENT: i32 = V5_3_3;
/// Apache's name of [`CURRENT`].
pub const CURRENT_NAME: &str = "V5_3_3";

/// Returns the ordinal of release `major.minor.patch`, for 4.x and 5.x with one-digit minor and patch numbers.
///
/// Returns `None` outside that range: earlier versions follow no formula.
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

/// Returns Apache's name of an ordinal of 4.x or 5.x, such as `V5_4_0` or `V4_9_7_SNAPSHOT`. Later ones are
/// `HIGHER_VERSION`, as in Apache's list, and those before 4.0 are `V3`.
pub fn name(ordinal: i32) -> String {
    let (major, step) = match ordinal {
        ..212 => return "V3".into(),
        212..412 => (4, ordinal - 212),
        412..612 => (5, ordinal - 412),
        _ => return "HIGHER_VERSION".into(),
    };
    let (patch, snapshot) = (step / 2, if step % 2 == 0 { "_SNAPSHOT" } else { "" });
    format!("V{major}_{}_{}{snapshot}", patch / 10, patch % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinals_have_apaches_names() {
        let names = [V4_9_4, CURRENT, V5_4_0, 212, 213, 611].map(name);
        assert_eq!(names, ["V4_9_4", CURRENT_NAME, "V5_4_0", "V4_0_0_SNAPSHOT", "V4_0_0", "V5_9_9"]);
        assert_eq!(
            [i32::MIN, 211, 612, i32::MAX].map(name),
            ["V3", "V3", "HIGHER_VERSION", "HIGHER_VERSION"]
        );
    }

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
