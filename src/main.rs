//! The command line of audience-gate; see `audience-gate --help`.

fn main() -> std::process::ExitCode {
    audience_gate::cli::run().into()
}
