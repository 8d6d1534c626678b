//! `audience-gate detach`: takes an archived month out of the event log, if its archive holds the same rows.

use super::manifest::Manifest;
use super::month::Month;
use super::{Done, connection, say};
use std::path::PathBuf;

/// The arguments of `detach`.
#[derive(clap::Args)]
pub struct DetachArgs {
    /// The archive that `archive` wrote.
    archive: PathBuf,
    /// The month, such as 2026-01.
    month: Month,
    /// Drop the month's table instead of keeping it beside the log, closed and append-only.
    #[arg(long)]
    drop: bool,
}

/// Detaches a month.
pub fn run(args: &DetachArgs) -> Done {
    let manifest = Manifest::expected(&args.archive, args.month)?;
    manifest.check_files(&args.archive)?;
    let mut client = connection::connect()?;
    let mut transaction = client.transaction().map_err(|error| connection::explain(&error))?;
    transaction
        .execute(
            "select audience_gate.detach_month($1::text::date, $2, $3, $4)",
            &[&args.month.day(), &(manifest.rows as i64), &manifest.content_hash, &args.drop],
        )
        .and_then(|_| transaction.commit())
        .map_err(|error| connection::explain(&error))?;
    let kept = if args.drop { "dropped" } else { "kept beside the log" };
    say(&format!("{} detached and {kept}: {} rows\n", args.month, manifest.rows))
}
