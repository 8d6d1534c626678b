//! `npm run emit`: writes every file that is derived from the table of rules and the taxonomy.

use clap::Parser;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write every file that is derived from the rules and the taxonomy.
#[derive(Parser)]
#[command(
    after_help = "Exit codes: 0 every file is current, or was written, 1 some are stale (--check), 2 one cannot be written."
)]
struct Line {
    /// Only say which of them are stale.
    #[arg(long)]
    check: bool,
    /// The root of the repository.
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

fn main() -> ExitCode {
    let Line { check, root } = Line::parse();
    if check {
        let stale = audience_gate_emit::verify(&root);
        stale.iter().for_each(|file| eprintln!("{file}"));
        return u8::from(!stale.is_empty()).into();
    }
    match audience_gate_emit::write(&root) {
        Ok(changed) => {
            changed.iter().for_each(|path| println!("wrote {path}"));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot write: {error}");
            2.into()
        }
    }
}
