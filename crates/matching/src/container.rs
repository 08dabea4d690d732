//! The bytes of a shard: a header that proves them whole, and the files of one segment behind it.
//!
//! ```text
//! magic        8   "RAPSHARD"
//! fingerprint 32   what the columns and words mean
//! checksum     4   CRC-32 of everything behind it
//! area         8   H3 index of the cell, 0 for everywhere
//! files        4   how many, then for each: name length 2, name, content length 8
//! contents         one after the other
//! ```
//! Numbers are little-endian.
//!
//! The checksum is to find what storage and transport damage, and to find it in a fraction of the time that a search
//! takes. It finds every single wrong bit and every run of wrong bits up to 32; of other damage it misses one case in
//! 2³², unless the lengths, which have to add up exactly, give it away. It is no proof against forgery: a shard is named
//! by its content in the table, and whoever can write there needs no forged one.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::columns::fingerprint;

const MAGIC: &[u8; 8] = b"RAPSHARD";
const FINGERPRINT: Range<usize> = 8..40;
const CHECKSUM: Range<usize> = 40..44;
const BODY: usize = 44;
/// A segment has a dozen files; more is no shard of ours.
const MOST_FILES: u32 = 64;

/// Why bytes are no shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadContainerError {
    /// They do not begin like one.
    #[error("not a shard")]
    NotAShard,
    /// It was built for other columns or words.
    #[error("the shard was built for another schema")]
    OtherSchema,
    /// It is torn, truncated or damaged.
    #[error("the shard is damaged")]
    Damaged,
}

/// The bytes of a shard with these files.
pub(crate) fn write(area: u64, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut body = area.to_le_bytes().to_vec();
    body.extend(u32::try_from(files.len()).unwrap_or(u32::MAX).to_le_bytes());
    for (name, content) in files {
        body.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        body.extend(name.as_bytes());
        body.extend((content.len() as u64).to_le_bytes());
    }
    for content in files.values() {
        body.extend(content);
    }
    let mut bytes = MAGIC.to_vec();
    bytes.extend(fingerprint());
    bytes.extend(crc32fast::hash(&body).to_le_bytes());
    bytes.extend(body);
    bytes
}

/// The area of a shard, and where in its bytes each file lies.
///
/// # Errors
/// When the bytes are not, or not entirely, a shard of this schema.
pub(crate) fn read(
    bytes: &[u8],
) -> Result<(u64, BTreeMap<String, Range<usize>>), ReadContainerError> {
    if !bytes.starts_with(MAGIC) {
        return Err(ReadContainerError::NotAShard);
    }
    let damaged = ReadContainerError::Damaged;
    if bytes.get(FINGERPRINT).ok_or(damaged)? != fingerprint() {
        return Err(ReadContainerError::OtherSchema);
    }
    let body = bytes.get(BODY..).ok_or(damaged)?;
    if bytes.get(CHECKSUM).ok_or(damaged)? != crc32fast::hash(body).to_le_bytes() {
        return Err(damaged);
    }
    files(body).ok_or(damaged)
}

/// Reads the table of files; none where it does not describe the bytes exactly.
fn files(body: &[u8]) -> Option<(u64, BTreeMap<String, Range<usize>>)> {
    let mut rest = body;
    let area = u64::from_le_bytes(take(&mut rest)?);
    let count = u32::from_le_bytes(take(&mut rest)?);
    if count > MOST_FILES {
        return None;
    }
    let mut sizes = vec![];
    for _ in 0..count {
        let length = usize::from(u16::from_le_bytes(take(&mut rest)?));
        let (name, behind) = rest.split_at_checked(length)?;
        rest = behind;
        let size = usize::try_from(u64::from_le_bytes(take(&mut rest)?)).ok()?;
        sizes.push((String::from_utf8(name.to_vec()).ok()?, size));
    }
    let mut start = BODY + (body.len() - rest.len());
    let mut files = BTreeMap::new();
    for (name, size) in sizes {
        let end = start.checked_add(size)?;
        files.insert(name, start..end);
        start = end;
    }
    (start == BODY + body.len()).then_some((area, files))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*first)
}
