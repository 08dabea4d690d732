//! `inspect`: one shard, in counts.

use std::collections::BTreeMap;

use anstream::println;
use domain::place::Cell;
use rapport_index_builder::{Content, IndexBuilder, Inspection, inspect, inspect_bytes};
use serde_json::json;

use crate::Error;

/// Whether the cell's current shard is sound.
pub(crate) async fn cell(builder: &IndexBuilder, cell: Cell, as_json: bool) -> Result<bool, Error> {
    let inspection = inspect(builder, cell).await?;
    let inspection = inspection.ok_or_else(|| format!("cell {cell} has no shard"))?;
    print(&inspection, as_json);
    Ok(inspection.is_sound())
}

/// Whether the shard in a file is sound.
pub(crate) fn file(path: &str, as_json: bool) -> Result<bool, Error> {
    let bytes = std::fs::read(path)
        .map_err(|error| format!("{path} is neither an H3 cell nor a readable file: {error}"))?;
    let inspection = inspect_bytes(bytes)?;
    print(&inspection, as_json);
    Ok(inspection.is_sound())
}

fn print(inspection: &Inspection, as_json: bool) {
    if as_json {
        println!("{}", json!(inspection));
        return;
    }
    println!("state      {}", inspection.state);
    if let Some(current) = &inspection.current {
        println!("version    {}, by the pointer", current.version);
        println!("object     {}", current.object);
        println!("built at   {}", current.built_at);
        println!("built from {} support workers", current.workers);
    }
    let Some(content) = &inspection.content else {
        return;
    };
    print_content(content);
    if !inspection.is_sound() {
        println!("what it holds is not what its version says");
    }
}

fn print_content(content: &Content) {
    match content.cell {
        Some(cell) => println!("cell       {cell}"),
        None => println!("cell       none: it is for everywhere"),
    }
    if let Some(version) = &content.version {
        println!("version    {version}, by its entries");
    }
    println!("workers    {}", content.workers);
    println!(
        "bytes      {}, {} a support worker",
        content.bytes, content.bytes_per_worker
    );
    print_counts("services", &content.services);
    print_counts("languages", &content.languages);
}

fn print_counts(what: &str, counts: &BTreeMap<&str, usize>) {
    let counts: Vec<String> = counts
        .iter()
        .map(|(word, count)| format!("{word} {count}"))
        .collect();
    println!("{what:<10} {}", counts.join(", "));
}
