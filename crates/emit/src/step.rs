//! The migration from the last release to the current contract.

use crate::release::{Release, sha256};
use crate::units::Unit;
use crate::{PREAMBLE, sql, taxonomy, taxonomy_sql};
use audience_gate::contract::rules::VERSION;
use serde_json::Value;

/// The contract as it is now.
pub struct Current {
    /// Its SQL.
    pub units: Vec<Unit>,
    /// The default taxonomy.
    pub taxonomy: Value,
}

impl Current {
    /// The contract of this source.
    pub fn read() -> Current {
        Current { units: sql::units(), taxonomy: taxonomy::read() }
    }

    /// What takes a database of the last release, or of none, to this; nothing where they are equal.
    ///
    /// Every statement can be run again, so that a database made between two releases takes a later draft, too.
    pub fn since(&self, last: Option<&Release>) -> Option<String> {
        let mut parts: Vec<String> = self.units.iter().filter_map(|unit| replaced(unit, last)).collect();
        parts.extend(self.dropped(last));
        parts.extend(last.filter(|_| !parts.is_empty()).map(|_| COMPILED.to_owned()));
        parts.extend(last.filter(|release| release.fingerprint != crate::fingerprint()).map(|_| registered()));
        let taxonomy = taxonomy_sql::since(&self.taxonomy, last.map(|release| &release.taxonomy));
        parts.extend((!taxonomy.is_empty()).then_some(taxonomy));
        if parts.is_empty() {
            return None;
        }
        let (heading, held) = match last {
            None => ("-- The validation contract, judged in the database, and the default taxonomy.\n".into(), ""),
            Some(release) => (
                format!(
                    "-- What changed in the contract and the default taxonomy after release {}.\n",
                    release.version
                ),
                HOLD,
            ),
        };
        Some(format!("-- {PREAMBLE}\n\n{heading}{held}\n{}", parts.join("\n")))
    }

    /// The functions that are gone. A table stays: its rows may be all that tells of an earlier contract.
    fn dropped(&self, last: Option<&Release>) -> Option<String> {
        let gone: String = last?
            .units
            .keys()
            .filter(|name| name.starts_with("function ") && !self.units.iter().any(|unit| unit.name == **name))
            .map(|name| format!("drop {};\n", name.replace("function ", "function if exists ")))
            .collect();
        (!gone.is_empty()).then_some(gone)
    }
}

/// All of the contract of this source.
pub fn render() -> String {
    Current::read().since(None).unwrap_or_default()
}

/// The part of it that the tables need.
pub fn constants() -> String {
    let units: Vec<_> = sql::constants().into_iter().map(|unit| unit.text).collect();
    format!("-- {PREAMBLE}\n\n-- The constants of the contract that the other migrations need.\n\n{}", units.join("\n"))
}

/// A unit that is new or changed. One whose declaration changed is dropped first, because `create or replace` cannot
/// change that.
fn replaced(unit: &Unit, last: Option<&Release>) -> Option<String> {
    let known = last.and_then(|release| release.units.get(&unit.name));
    match known {
        Some([_, whole]) if *whole == sha256(unit.text.as_bytes()) => None,
        Some([declaration, _]) if *declaration != sha256(unit.declaration().as_bytes()) => {
            Some(format!("drop {};\n{}", unit.name.replace("function ", "function if exists "), unit.text))
        }
        _ => Some(unit.text.clone()),
    }
}

/// Adds the contract to those that the install has had.
fn registered() -> String {
    format!(
        "insert into public.audience_contracts (fingerprint, version) values ('{}', '{VERSION}')\non conflict do nothing;\n",
        crate::fingerprint()
    )
}

/// Schemas mean what the contract's own functions make of them, so what was made of an install's rules is made anew.
const COMPILED: &str = "select audience_gate.compile_own_rules();\n";

/// Waits until nobody is judging. Whoever comes meanwhile waits for as long as an attempt takes.
const HOLD: &str = "
-- Every way into the log holds audience_gate.contract_rules while it judges. Nobody is let in while the contract
-- changes, so that no event is judged by half of each. A short timeout keeps those who wait from waiting for long.
do $$
declare
  usual text := current_setting('lock_timeout');
begin
  perform set_config('lock_timeout', '400ms', true);
  for attempt in 1 .. 50 loop
    begin
      lock table audience_gate.contract_rules in exclusive mode;
      perform set_config('lock_timeout', usual, true);
      return;
    exception when lock_not_available then
      perform pg_sleep(0.1 + 0.4 * random());
    end;
  end loop;
  raise exception 'the contract cannot be changed while a transaction that judged events stays open'
    using errcode = 'lock_not_available', hint = 'end the load or the session that holds it, and run the migration again';
end;
$$;
";
