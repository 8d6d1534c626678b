//! What a rule is: a guard and a predicate over one closed expression tree.
//!
//! Every engine is one exhaustive match over [`Expr`], without a catch-all arm: a new operator does not compile until
//! each engine has it, and a new rule touches no engine.

use super::vocabulary::{Category, Fault, Field, Kind};

/// One rule of the contract.
#[derive(Debug)]
pub struct Rule {
    /// Public and permanent: it is stored in audit rows.
    pub id: &'static str,
    /// Where the rule comes from.
    pub kind: RuleKind,
    /// The category it applies to; `None` means every event.
    pub category: Option<Category>,
    /// The rule applies to an event if this holds.
    pub when: Expr,
    /// An event that the rule applies to satisfies it if this holds.
    pub must: Expr,
    /// What is wrong, why it matters, what to send instead.
    pub reason: &'static str,
    /// The place to look at, as a JSON pointer into the event.
    pub path: &'static str,
    /// An event that the rule applies to and that satisfies the whole contract.
    pub accepts: &'static str,
    /// An event whose first violation is this rule.
    pub rejects: &'static str,
}

/// What a sender is told about a rule.
#[derive(Clone, Copy, Debug)]
pub struct Explanation {
    /// Its id.
    pub id: &'static str,
    /// What is wrong, why it matters, what to send instead.
    pub reason: &'static str,
    /// The place to look at, as a JSON pointer into the event.
    pub path: &'static str,
}

/// Where a rule comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RuleKind {
    /// The user's document, word for word.
    Contract,
    /// Closes a hole that would let the contract be evaded or the store be broken.
    Guard,
}

impl RuleKind {
    /// The kind as it is written.
    pub const fn name(self) -> &'static str {
        match self {
            RuleKind::Contract => "contract",
            RuleKind::Guard => "guard",
        }
    }
}

/// A list of the registry that a value can be looked up in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)]
pub enum List {
    EventTypes,
    RetentionRules,
    States,
}

/// A predicate over an event, its caller, the registry and the time of receipt.
#[derive(Clone, Copy, Debug)]
pub enum Expr {
    /// Holds for every event.
    Always,
    /// All of them hold.
    All(&'static [Expr]),
    /// At least one of them holds.
    Any(&'static [Expr]),
    /// It does not hold.
    Not(&'static Expr),
    /// The text could be read without this fault.
    Readable(Fault),
    /// The key is there, and its value is neither null nor blank text.
    Present(Field),
    /// The value is of this kind.
    Is(Field, Kind),
    /// The value is text that holds something other than white space, as Unicode defines it.
    NonEmptyText(Field),
    /// The value is text in the canonical 8-4-4-4-12 form of a UUID, in either case.
    Uuid(Field),
    /// `occurred_at` is text in the form of RFC 3339, in the years 1 to 9999 of UTC. Digits of the second beyond the sixth
    /// are cut, and a 60th second is only one at the end of a day of UTC.
    Timestamp,
    /// The value is text with a number of Unicode code points between these two.
    Length(Field, u32, u32),
    /// The value is exactly one of these texts.
    OneOf(Field, &'static [&'static str]),
    /// The value is a number that is at least the first bound and, if there is a second, at most that.
    Number(Field, u32, Option<u32>),
    /// The value is text that is a SHA-256 in lower-case hexadecimal digits: not all alike, and not that of the empty text.
    Sha256(Field),
    /// The value is text that names a like: one of its words does, or it is nothing but a sign of one.
    Like(Field),
    /// `email` is text that is a valid e-mail address once normalised.
    Email,
    /// The value is text that is on this list of the registry.
    Listed(Field, List),
    /// The states and the days are those that the rule named by `rule_id` gives, or at least as many days.
    RuleTermsAgree,
    /// No top-level field is outside the vocabulary.
    OnlyKnownFields,
    /// The canonical text of `metadata` has at most this many bytes; an e-mail still to be hashed counts as its hash.
    MetadataWithin(u32),
    /// `occurred_at` is at most the first number of seconds after the receipt, and at most the second before it.
    OccurredWithin(u32, u32),
    /// `email` and `metadata.email_hash` agree where both are present.
    EmailAgrees,
    /// No key of `metadata`, at any depth, has the word score or scores; the snapshot of a rejected event may.
    NoScoreKey,
    /// No object of `metadata` names a blocked jump from `prior_state` to `new_state`, in whatever case and joined in
    /// whatever way; the snapshot of a rejected event may.
    NoBlockedJump,
    /// No raw e-mail address in any text or key of `metadata`, nor in a text column.
    NoRawEmail,
    /// No key of `metadata` names personal data.
    NoPersonalKey,
    /// No card, social security, telephone or bank account number and no address on the internet in any text, key or
    /// number of `metadata`, nor in a text column.
    NoPersonalValue,
    /// No credential in any text or key of `metadata`, nor in a text column.
    NoSecret,
    /// The caller holds a secret key.
    TrustedCaller,
    /// The caller may speak for `user_id`.
    OwnUser,
    /// The site exists and lists the origin of a browser's call.
    SiteAccepts,
    /// The category of the event type's registry entry is the event's.
    CategoryAgrees,
    /// `metadata` satisfies the payload schema of the event type's registry entry.
    PayloadAgrees,
    /// The store holds no other event with the same `id`; only the store can judge it.
    NoIdReuse,
    /// The store holds no accepted twin of the event within this many seconds; only the store can judge it.
    NoTwinWithin(u32),
}

impl Expr {
    /// Whether only the store can judge it, which looks it up for events that pass every other rule.
    pub const fn is_of_the_store(&self) -> bool {
        matches!(self, Expr::NoIdReuse | Expr::NoTwinWithin(_))
    }
}
