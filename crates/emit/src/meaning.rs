//! What the contract means, as text: two engines whose texts are equal judge alike.
//!
//! The text consists of the rules as data, a version for the meaning of every operator, and the words and numbers that
//! they judge by. It does not say how an engine computes a verdict or how a reason is worded, so neither a faster
//! engine nor a better sentence changes it. Its hash is the fingerprint of the contract.

use audience_gate::contract::limits::{EMAIL_BYTES, EMAIL_HASH_BYTES, MOST_DEPTH, NUMBER_LENGTH, OWN_TEXT};
use audience_gate::contract::personal_words::{DESCRIBING, GROUPS, Group, LEAST_NUMBER, QUESTIONING};
use audience_gate::contract::rule::{Expr, List, Rule};
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::{
    CATEGORIES, FIELDS, Fault, Field, Kind, LIKE_SIGNS, LIKE_WORDS, OWN_KEYS, SCORE_WORDS, SIGN_VARIANTS, STATE_JOINTS,
    TEXT_COLUMNS,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The name of an operator, and the version of what it means.
///
/// Raise the version when the operator begins to judge any event differently, in whichever engine, and leave it when
/// the operator only gets faster.
pub const fn operator(expr: &Expr) -> (&'static str, u32) {
    match expr {
        Expr::Always => ("always", 1),
        Expr::All(_) => ("all", 1),
        Expr::Any(_) => ("any", 1),
        Expr::Not(_) => ("not", 1),
        Expr::Readable(_) => ("readable", 1),
        Expr::Present(_) => ("present", 2),
        Expr::Is(..) => ("is", 1),
        Expr::NonEmptyText(_) => ("non_empty_text", 2),
        Expr::Uuid(_) => ("uuid", 1),
        Expr::Timestamp => ("timestamp", 2),
        Expr::Length(..) => ("length", 1),
        Expr::OneOf(..) => ("one_of", 1),
        Expr::Number(..) => ("number", 1),
        Expr::Sha256(_) => ("sha256", 2),
        Expr::Like(_) => ("like", 2),
        Expr::Email => ("email", 1),
        Expr::Listed(..) => ("listed", 1),
        Expr::RuleTermsAgree => ("rule_terms_agree", 1),
        Expr::OnlyKnownFields => ("only_known_fields", 1),
        Expr::MetadataWithin(_) => ("metadata_within", 2),
        Expr::OccurredWithin(..) => ("occurred_within", 1),
        Expr::EmailAgrees => ("email_agrees", 1),
        Expr::NoScoreKey => ("no_score_key", 2),
        Expr::NoBlockedJump => ("no_blocked_jump", 2),
        Expr::NoRawEmail => ("no_raw_email", 2),
        Expr::NoPersonalKey => ("no_personal_key", 2),
        Expr::NoPersonalValue => ("no_personal_value", 2),
        Expr::NoSecret => ("no_secret", 1),
        Expr::TrustedCaller => ("trusted_caller", 1),
        Expr::OwnUser => ("own_user", 1),
        Expr::SiteAccepts => ("site_accepts", 1),
        Expr::CategoryAgrees => ("category_agrees", 1),
        Expr::PayloadAgrees => ("payload_agrees", 3),
        Expr::NoIdReuse => ("no_id_reuse", 1),
        Expr::NoTwinWithin(_) => ("no_twin_within", 2),
    }
}

/// Everything that a verdict depends on.
#[derive(Clone, Copy)]
pub struct Meaning<'a> {
    /// The rules, in the order in which violations are reported.
    pub rules: &'a [Rule],
    /// The name of an operator and the version of its meaning.
    pub operator: fn(&Expr) -> (&'static str, u32),
    /// The words that name personal data.
    pub personal_words: &'a [Group],
    /// The words that make a thing of what is named before them, and those that make a flag of a key.
    pub harmless_words: [&'a str; 2],
    /// The keys of the event and of its metadata that rules mention.
    pub fields: &'a [(Field, &'a str, &'a str)],
    /// The numbers that stand in no rule.
    pub constants: &'a [(&'a str, u64)],
}

impl<'a> Meaning<'a> {
    /// The meaning of the contract of this source.
    pub const CURRENT: Meaning<'static> = Meaning {
        rules: RULES,
        operator,
        personal_words: &GROUPS,
        harmless_words: [DESCRIBING, QUESTIONING],
        fields: &FIELDS,
        constants: CONSTANTS,
    };

    /// The text: one JSON array per line.
    pub fn text(&self) -> String {
        let mut lines: Vec<Value> = self.rules.iter().map(|rule| self.rule(rule)).collect();
        lines.extend(self.constants.iter().map(|(name, value)| json!(["constant", name, value])));
        lines.push(json!(["categories", CATEGORIES]));
        let of = |inside: bool| -> Vec<&str> {
            self.fields.iter().filter(|(field, ..)| field.in_metadata() == inside).map(|(_, key, _)| *key).collect()
        };
        lines.push(json!(["fields of the event", of(false)]));
        lines.push(json!(["fields of metadata", of(true)]));
        lines.push(json!(["fields searched for personal data", TEXT_COLUMNS.map(Field::key)]));
        lines.push(json!(["keys that every event type takes", OWN_KEYS]));
        lines.push(json!(["words of a like", LIKE_WORDS]));
        lines.push(json!(["signs of a like", LIKE_SIGNS, SIGN_VARIANTS]));
        lines.push(json!(["words of a score", SCORE_WORDS]));
        lines.push(json!(["joints in the name of a state", STATE_JOINTS]));
        let list = |entries: &'a str| entries.split('|').collect::<Vec<_>>();
        for Group { name, anywhere, alone, any_number, .. } in self.personal_words {
            let least = if *any_number { 0 } else { LEAST_NUMBER };
            lines.push(json!(["personal words", name, list(anywhere), list(alone), "from the number", least]));
        }
        for (kind, words) in ["describing words", "questioning words"].into_iter().zip(self.harmless_words) {
            lines.push(json!([kind, list(words)]));
        }
        lines.iter().map(|line| line.to_string() + "\n").collect()
    }

    /// The first half of the text's SHA-256 has more digits than anybody compares by eye; its first quarter identifies it.
    pub fn fingerprint(&self) -> String {
        Sha256::digest(self.text()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    fn rule(&self, rule: &Rule) -> Value {
        let category = rule.category.map(|category| category.name());
        json!(["rule", rule.id, category, self.expression(&rule.when), self.expression(&rule.must)])
    }

    fn expression(&self, expr: &Expr) -> Value {
        let (name, version) = (self.operator)(expr);
        let mut written = vec![json!(format!("{name}@{version}"))];
        let parts = |parts: &[Expr]| parts.iter().map(|part| self.expression(part)).collect();
        let operands: Vec<Value> = match *expr {
            Expr::All(all) => parts(all),
            Expr::Any(any) => parts(any),
            Expr::Not(part) => vec![self.expression(part)],
            Expr::Readable(fault) => vec![json!(fault_name(fault))],
            Expr::Present(field)
            | Expr::NonEmptyText(field)
            | Expr::Uuid(field)
            | Expr::Sha256(field)
            | Expr::Like(field) => vec![json!(field.path())],
            Expr::Is(field, kind) => vec![json!(field.path()), json!(kind_name(kind))],
            Expr::Length(field, least, most) => vec![json!(field.path()), json!(least), json!(most)],
            Expr::OneOf(field, choices) => vec![json!(field.path()), json!(choices)],
            Expr::Number(field, least, most) => vec![json!(field.path()), json!(least), json!(most)],
            Expr::Listed(field, list) => vec![json!(field.path()), json!(list_name(list))],
            Expr::MetadataWithin(most) => vec![json!(most)],
            Expr::OccurredWithin(ahead, behind) => vec![json!(ahead), json!(behind)],
            Expr::NoTwinWithin(seconds) => vec![json!(seconds)],
            Expr::Always
            | Expr::Timestamp
            | Expr::Email
            | Expr::RuleTermsAgree
            | Expr::OnlyKnownFields
            | Expr::EmailAgrees
            | Expr::NoScoreKey
            | Expr::NoBlockedJump
            | Expr::NoRawEmail
            | Expr::NoPersonalKey
            | Expr::NoPersonalValue
            | Expr::NoSecret
            | Expr::TrustedCaller
            | Expr::OwnUser
            | Expr::SiteAccepts
            | Expr::CategoryAgrees
            | Expr::PayloadAgrees
            | Expr::NoIdReuse => Vec::new(),
        };
        written.extend(operands);
        Value::Array(written)
    }
}

/// The numbers that stand in no rule.
const CONSTANTS: &[(&str, u64)] = &[
    ("levels of nesting", MOST_DEPTH as u64),
    ("characters of a number", NUMBER_LENGTH as u64),
    ("bytes of an e-mail address", EMAIL_BYTES as u64),
    ("bytes of the hash of an e-mail address", EMAIL_HASH_BYTES as u64),
    ("characters under a key that every event type takes", OWN_TEXT as u64),
];

/// The fingerprint of the contract of this source.
pub fn fingerprint() -> String {
    Meaning::CURRENT.fingerprint()
}

/// The lines of the text that it is the hash of.
pub fn lines() -> Vec<String> {
    render().lines().map(String::from).collect()
}

/// The text that it is the hash of.
pub fn render() -> String {
    Meaning::CURRENT.text()
}

/// The name of a fault.
pub const fn fault_name(fault: Fault) -> &'static str {
    match fault {
        Fault::Json => "json",
        Fault::Shape => "shape",
        Fault::Depth => "depth",
        Fault::Text => "text",
        Fault::Number => "number",
        Fault::DuplicateKey => "duplicate_key",
    }
}

/// The name of a kind of value.
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::True => "true",
        Kind::False => "false",
        Kind::Absent | Kind::Null | Kind::Number | Kind::Text | Kind::Array | Kind::Object => kind.name(),
    }
}

/// The name of a list of the registry.
pub const fn list_name(list: List) -> &'static str {
    match list {
        List::EventTypes => "event types",
        List::RetentionRules => "retention rules",
        List::States => "states",
    }
}
