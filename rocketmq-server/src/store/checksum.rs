//! The checksum of a table kept as JSON: its last member. Apache's broker skips it, and leaves it out when it writes the file.
//!
//! One flipped bit can turn an offset into another, and the text still reads. The checksum tells, and shows which bit it was.

/// `"checksum"` with eight hexadecimal digits, and the end of the object.
const MEMBER_LEN: usize = "\n\t\"checksum\":\"01234567\"\n}".len();

/// The polynomial of CRC-32, lowest bit first.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// The verdict of the checksum about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is as it was written.
    Intact(Vec<u8>),
    /// One bit, in this byte, was another.
    Mended(Vec<u8>, usize),
    /// Somebody has changed it since, or more than one bit is damaged.
    Changed(Vec<u8>),
    /// It has no checksum.
    Unsigned,
}

/// `json`, an object, with its checksum.
pub(crate) fn sign(json: &[u8]) -> Vec<u8> {
    let mut text = open(json).to_vec();
    if !text.ends_with(b"{") {
        text.push(b',');
    }
    let member = member(crc32fast::hash(&text));
    text.extend_from_slice(&member);
    text
}

/// Judges a text, and returns the object without its checksum.
pub(crate) fn check(text: &[u8]) -> Checked {
    let text = text.trim_ascii_end();
    let Some((object, found)) = text.split_last_chunk::<MEMBER_LEN>() else { return Checked::Unsigned };
    let expected = member(crc32fast::hash(object));
    match differing_bits(found, &expected) {
        0 => return Checked::Intact(closed(object)),
        1 => return Checked::Mended(closed(object), object.len()),
        _ => {}
    }
    let Some(written) = checksum_in(found) else { return Checked::Unsigned };
    match flipped_bit(object.len(), crc32fast::hash(object) ^ written) {
        Some((byte, bit)) => {
            let mut object = object.to_vec();
            object[byte] ^= 1 << bit;
            Checked::Mended(closed(&object), byte)
        }
        None => Checked::Changed(closed(object)),
    }
}

fn member(crc: u32) -> [u8; MEMBER_LEN] {
    let mut bytes = [0; MEMBER_LEN];
    bytes.copy_from_slice(format!("\n\t\"checksum\":\"{crc:08x}\"\n}}").as_bytes());
    bytes
}

fn checksum_in(found: &[u8; MEMBER_LEN]) -> Option<u32> {
    let digits =
        std::str::from_utf8(found).ok()?.strip_prefix("\n\t\"checksum\":\"")?.strip_suffix("\"\n}")?;
    u32::from_str_radix(digits, 16).ok()
}

/// The object up to what closes it.
fn open(json: &[u8]) -> &[u8] {
    let json = json.trim_ascii_end();
    json.strip_suffix(b"}").unwrap_or(json).trim_ascii_end()
}

fn closed(object: &[u8]) -> Vec<u8> {
    let mut json = object.strip_suffix(b",").unwrap_or(object).to_vec();
    json.push(b'}');
    json
}

fn differing_bits(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum()
}

/// Byte and bit whose flip changes the checksum of `len` bytes by `difference`. A flip of the last bit changes it by the
/// polynomial, and that of each bit before by one division more.
fn flipped_bit(len: usize, difference: u32) -> Option<(usize, u32)> {
    let mut change = POLYNOMIAL;
    for byte in (0..len).rev() {
        for bit in (0..8).rev() {
            if change == difference {
                return Some((byte, bit));
            }
            change = (change >> 1) ^ if change & 1 == 1 { POLYNOMIAL } else { 0 };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"{\n\t\"offsetTable\":{\n\t\t\"t@g\":{0:1023,1:7}\n\t}\n}";

    fn without_space(json: &[u8]) -> Vec<u8> {
        json.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
    }

    #[test]
    fn each_flipped_bit_is_found_and_mended() {
        let signed = sign(TABLE);
        for bit in 0..signed.len() * 8 {
            let mut damaged = signed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match check(&damaged) {
                Checked::Mended(json, byte) => {
                    assert_eq!(without_space(&json), without_space(TABLE), "bit {bit}");
                    assert_eq!(byte, (bit / 8).min(signed.len() - MEMBER_LEN), "bit {bit}");
                }
                other => panic!("bit {bit}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_object_comes_back_as_it_was() {
        for json in [TABLE, b"{}", b"{ }\n", b"{\"a\":1}"] {
            let signed = sign(json);
            let Checked::Intact(back) = check(&signed) else { panic!("{:?}", check(&signed)) };
            assert_eq!(without_space(&back), without_space(json));
            let mut edited = signed.clone();
            edited.push(b'\n');
            assert_eq!(check(&edited), Checked::Intact(back), "an editor's last line end");
        }
    }

    #[test]
    fn a_change_by_hand_is_not_undone() {
        let edited = String::from_utf8(sign(TABLE)).unwrap().replace("1023", "5");
        let Checked::Changed(json) = check(edited.as_bytes()) else { panic!("{edited}") };
        assert_eq!(
            without_space(&json),
            without_space(&String::from_utf8_lossy(TABLE).replace("1023", "5").into_bytes())
        );
        for unsigned in [TABLE, b"", b"{}"] {
            assert_eq!(check(unsigned), Checked::Unsigned);
        }
    }
}
