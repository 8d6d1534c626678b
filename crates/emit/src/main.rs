//! `npm run emit`: writes every file that is derived from the table of rules and the taxonomy.

use audience_gate_emit::step::Current;
use audience_gate_emit::{self as emit, release};
use clap::Parser;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write every file that is derived from the rules and the taxonomy.
#[derive(Parser)]
#[command(
    after_help = "Exit codes: 0 every file is current, or was written, 1 some are not (--check), 2 one cannot be written."
)]
struct Line {
    /// Only say which files are stale, and which released migrations were edited.
    #[arg(long)]
    check: bool,
    /// Freeze every migration that is not in a release yet as the release of this version.
    #[arg(long, value_name = "VERSION", conflicts_with = "check")]
    release: Option<String>,
    /// Also fail if a migration is not in a release yet, which a tagged checkout must not have.
    #[arg(long, requires = "check")]
    released: bool,
    /// The root of the repository.
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    run(&Line::parse()).unwrap_or_else(|problem| {
        eprintln!("{problem}");
        2.into()
    })
}

fn run(line: &Line) -> io::Result<ExitCode> {
    let Line { check, release, released, root } = line;
    if *check {
        let mut wrong = emit::verify(root)?;
        if *released {
            wrong.extend(release::not_released(root)?);
        }
        wrong.iter().for_each(|wrong| eprintln!("{wrong}"));
        return Ok(u8::from(!wrong.is_empty()).into());
    }
    let mut written = emit::write(root)?;
    if let Some(version) = release {
        written.extend(release::freeze(root, version, &Current::read())?);
    }
    written.iter().for_each(|path| println!("wrote {path}"));
    Ok(ExitCode::SUCCESS)
}
