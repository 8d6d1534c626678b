//! Rules as they are written in the meaning of a contract, read back.

use audience_gate::contract::rule::{Expr, List, Rule, RuleKind};
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::{Category, FIELDS, Fault, Field, Kind};
use audience_gate_emit::meaning::{fault_name, kind_name, list_name, operator};
use serde_json::Value;
use std::collections::BTreeSet;

/// The operators of a rule that meant something else when it was written, as they are written there.
pub type Foreign = BTreeSet<String>;

/// A rule of the meaning of a contract: `["rule", id, category, when, must]`. What is read stays for as long as the
/// program runs, like the table that is compiled in.
pub fn rule(line: &[Value]) -> Result<(Rule, Foreign), String> {
    let [_, id, category, when, must] = line else {
        return Err(format!("a rule has five parts, and this one {}", line.len()));
    };
    let id = id.as_str().ok_or("a rule has no id")?;
    let explain = |reason: String| format!("the rule {id} cannot be read: {reason}");
    let category = match category.as_str() {
        None => None,
        Some(name) => {
            Some(Category::named(name.as_bytes()).ok_or_else(|| explain(format!("no category is called {name}")))?)
        }
    };
    let mut foreign = Foreign::new();
    let when = expr(when, &mut foreign).map_err(explain)?;
    let must = expr(must, &mut foreign).map_err(explain)?;
    let known = RULES.iter().find(|known| known.id == id);
    let rule = Rule {
        id: kept(id),
        kind: known.map_or(RuleKind::Guard, |known| known.kind),
        category,
        when,
        must,
        reason: known.map_or("", |known| known.reason),
        path: known.map_or("", |known| known.path),
        accepts: known.map_or("", |known| known.accepts),
        rejects: known.map_or("", |known| known.rejects),
    };
    Ok((rule, foreign))
}

fn kept(text: &str) -> &'static str {
    String::leak(text.to_owned())
}

fn expr(value: &Value, foreign: &mut Foreign) -> Result<Expr, String> {
    let parts = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let (operator_name, operands) = parts.split_first().ok_or("an expression is not a list")?;
    let written = operator_name.as_str().unwrap_or_default();
    let name = written.split('@').next().unwrap_or_default();
    let mut all = || -> Result<&'static [Expr], String> {
        let parts = operands.iter().map(|part| expr(part, foreign)).collect::<Result<Vec<_>, _>>()?;
        Ok(parts.leak())
    };
    let of = Operands(operands);
    let read = match name {
        "always" => Expr::Always,
        "all" => Expr::All(all()?),
        "any" => Expr::Any(all()?),
        "not" => Expr::Not(all()?.first().ok_or("a negation of nothing")?),
        "readable" => Expr::Readable(of.named(0, &FAULTS, fault_name)?),
        "present" => Expr::Present(of.field()?),
        "is" => Expr::Is(of.field()?, of.named(1, &KINDS, kind_name)?),
        "non_empty_text" => Expr::NonEmptyText(of.field()?),
        "uuid" => Expr::Uuid(of.field()?),
        "timestamp" => Expr::Timestamp,
        "length" => Expr::Length(of.field()?, of.number(1)?, of.number(2)?),
        "one_of" => Expr::OneOf(of.field()?, of.choices()?),
        "number" => Expr::Number(of.field()?, of.number(1)?, of.number(2).ok()),
        "sha256" => Expr::Sha256(of.field()?),
        "like" => Expr::Like(of.field()?),
        "email" => Expr::Email,
        "listed" => Expr::Listed(of.field()?, of.named(1, &LISTS, list_name)?),
        "rule_terms_agree" => Expr::RuleTermsAgree,
        "only_known_fields" => Expr::OnlyKnownFields,
        "metadata_within" => Expr::MetadataWithin(of.number(0)?),
        "occurred_within" => Expr::OccurredWithin(of.number(0)?, of.number(1)?),
        "email_agrees" => Expr::EmailAgrees,
        "no_score_key" => Expr::NoScoreKey,
        "no_blocked_jump" => Expr::NoBlockedJump,
        "no_raw_email" => Expr::NoRawEmail,
        "no_personal_key" => Expr::NoPersonalKey,
        "no_personal_value" => Expr::NoPersonalValue,
        "no_secret" => Expr::NoSecret,
        "trusted_caller" => Expr::TrustedCaller,
        "own_user" => Expr::OwnUser,
        "site_accepts" => Expr::SiteAccepts,
        "category_agrees" => Expr::CategoryAgrees,
        "payload_agrees" => Expr::PayloadAgrees,
        "no_id_reuse" => Expr::NoIdReuse,
        "no_twin_within" => Expr::NoTwinWithin(of.number(0)?),
        name => return Err(format!("this program knows no operator {name}")),
    };
    let (name, version) = operator(&read);
    if written != format!("{name}@{version}") {
        foreign.insert(written.to_owned());
    }
    Ok(read)
}

/// What an operator is written with.
struct Operands<'a>(&'a [Value]);

impl Operands<'_> {
    fn text(&self, place: usize) -> Result<&str, String> {
        self.0.get(place).and_then(Value::as_str).ok_or_else(|| format!("operand {} is no text", place + 1))
    }

    fn number(&self, place: usize) -> Result<u32, String> {
        let number = self.0.get(place).and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok());
        number.ok_or_else(|| format!("operand {} is no number", place + 1))
    }

    fn field(&self) -> Result<Field, String> {
        let path = self.text(0)?;
        let known = FIELDS.iter().map(|&(field, ..)| field).find(|field| field.path() == path);
        known.ok_or_else(|| format!("this program knows no field {path}"))
    }

    fn named<T: Copy>(&self, place: usize, known: &[T], name: fn(T) -> &'static str) -> Result<T, String> {
        let wanted = self.text(place)?;
        known.iter().copied().find(|one| name(*one) == wanted).ok_or_else(|| format!("{wanted} is not known"))
    }

    fn choices(&self) -> Result<&'static [&'static str], String> {
        let choices = self.0.get(1).and_then(Value::as_array).ok_or("the choices are no list")?;
        let choices = choices.iter().map(|choice| choice.as_str().map(kept)).collect::<Option<Vec<_>>>();
        choices.map(|choices| &*choices.leak()).ok_or_else(|| "a choice is no text".into())
    }
}

const FAULTS: [Fault; 6] = [Fault::Json, Fault::Shape, Fault::Depth, Fault::Text, Fault::Number, Fault::DuplicateKey];
const LISTS: [List; 3] = [List::EventTypes, List::RetentionRules, List::States];
const KINDS: [Kind; 8] =
    [Kind::Absent, Kind::Null, Kind::False, Kind::True, Kind::Number, Kind::Text, Kind::Array, Kind::Object];
