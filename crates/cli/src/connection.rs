//! The database that a command works on. Its URL, with the password, is only taken from the environment: arguments can
//! be read by every user of the machine.

use super::tls;
use postgres::config::SslMode;
use postgres::{Client, Config, NoTls};
use std::error::Error;

const VARIABLE: &str = "DATABASE_URL";
const APPLICATION: &str = "audience-gate";

/// Connects, and lifts the limits on time that would end long work.
pub fn connect() -> Result<Client, String> {
    let url = std::env::var(VARIABLE).ok().filter(|url| !url.is_empty()).ok_or_else(|| {
        format!("{VARIABLE} is not set; set it to the URL of the database, such as postgresql://postgres:PASSWORD@HOST:5432/postgres?sslmode=require")
    })?;
    let (url, wanted) = tls::Wanted::take_from(&url)?;
    // The parser quotes what it does not understand, which may be the password.
    let mut config: Config =
        url.parse().map_err(|_| format!("{VARIABLE} is not a valid connection URL; send postgresql://USER:PASSWORD@HOST:PORT/NAME, with special characters percent-encoded"))?;
    if config.get_application_name().is_none() {
        config.application_name(APPLICATION);
    }
    config.ssl_mode(wanted.mode());
    let connected = match wanted.mode() {
        SslMode::Disable => config.connect(NoTls),
        _ => config.connect(tls::connector(&wanted)?),
    };
    let mut client =
        connected.map_err(|error| format!("cannot connect to the database of {VARIABLE}: {}", causes(&error)))?;
    client
        .batch_execute("set statement_timeout = 0; set idle_in_transaction_session_timeout = 0; set timezone = 'UTC'")
        .map_err(|error| explain(&error))?;
    Ok(client)
}

/// The database's own message and hint for an error, without its detail, which quotes values.
pub fn explain(error: &postgres::Error) -> String {
    let Some(told) = error.as_db_error() else {
        return format!("the connection to the database failed: {}", causes(error));
    };
    let is_missing =
        matches!(told.code().code(), "42883" | "42P01" | "3F000") && told.message().contains("audience_gate.");
    match told.hint() {
        _ if is_missing => format!(
            "the database lacks what this command needs ({}); apply supabase/scaling/archive.sql and load.sql of this release to it, after its migrations",
            told.message()
        ),
        Some(hint) => format!("{}: {hint}", told.message()),
        None => format!("the database says: {} ({})", told.message(), told.code().code()),
    }
}

fn causes(error: &postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
