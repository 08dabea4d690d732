//! What of a segment's files a shard keeps.
//!
//! Everything is read from columns and from one inverted field, so the rest goes: the description of every column, which
//! the columns themselves repeat, and the store of documents, which holds none and yet takes five bytes for each.

use std::collections::BTreeMap;
use std::path::Path;

use tantivy::directory::RamDirectory;
use tantivy::{Directory, Index};

use crate::build::BuildShardError;
use crate::columns::NEIGHBOURHOODS;

const META: &str = "meta.json";
/// A file ends with its footer, the footer's length and a constant, four bytes each.
const FOOTER_END: usize = 8;

/// The files of the one segment that was written here, by their names.
pub(crate) fn files(
    index: &Index,
    directory: &RamDirectory,
) -> Result<BTreeMap<String, Vec<u8>>, BuildShardError> {
    let meta = directory
        .atomic_read(Path::new(META))
        .map_err(tantivy::TantivyError::from)?;
    let mut files = BTreeMap::from([(META.to_owned(), without_columns(&meta)?)]);
    for path in index.directory().list_managed_files() {
        let Ok(file) = directory.open_read(&path) else {
            // Listed, but never written: a segment without deletes has no file of them.
            continue;
        };
        let name = path.to_string_lossy().into_owned();
        if name == META || name == ".managed.json" {
            continue;
        }
        let bytes = file.read_bytes()?;
        let kept = if name.ends_with(".store") {
            footer(&bytes)
        } else {
            &bytes
        };
        files.insert(name, kept.to_vec());
    }
    Ok(files)
}

/// The description of an index whose schema has the one field that is looked up through it.
///
/// INVARIANT: that field is the schema's first, so that its number stays what it was.
fn without_columns(meta: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let mut meta: serde_json::Value = serde_json::from_slice(meta)?;
    if let Some(fields) = meta
        .get_mut("schema")
        .and_then(|schema| schema.as_array_mut())
    {
        fields.retain(|field| field.get("name").is_some_and(|name| name == NEIGHBOURHOODS));
    }
    serde_json::to_vec(&meta)
}

/// A file's footer, which the library looks for on opening.
fn footer(file: &[u8]) -> &[u8] {
    let end = file.len().saturating_sub(FOOTER_END);
    let length = file
        .get(end..)
        .and_then(|end| end.first_chunk::<4>())
        .map_or(0, |length| u32::from_le_bytes(*length));
    let start = end.saturating_sub(usize::try_from(length).unwrap_or(usize::MAX));
    file.get(start..).unwrap_or(file)
}
