//! Registries as they are given on the command line.

use super::http;
use audience_gate::registry::{Registry, taxonomy};
use std::fs;
use std::path::Path;

/// The text of a snapshot, from a file or an address; without either, of an install that has changed nothing.
pub fn text(source: Option<&Path>) -> Result<Vec<u8>, String> {
    let Some(path) = source else {
        return Ok(taxonomy::snapshot().into_bytes());
    };
    match path.to_str().filter(|name| http::is_address(name)) {
        Some(address) => http::get(address),
        None => fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display())),
    }
}

/// The registry of a snapshot, and its text. What of it cannot be judged by is told on standard error.
pub fn read(source: Option<&Path>) -> Result<(Registry, Vec<u8>), String> {
    let text = text(source)?;
    let name = source.map(|path| path.display().to_string()).unwrap_or_default();
    let registry = Registry::from_json(&text).map_err(|reason| format!("{name} is not a registry: {reason}"))?;
    for fault in &registry.faults {
        eprintln!("audience-gate: {fault}");
    }
    Ok((registry, text))
}
