//! The values that the table of rules names for each field, and values at, just below and just above its bounds.

use crate::support;
use audience_gate::contract::rule::{Expr, List, Rule};
use audience_gate::contract::rules::RULES;
use audience_gate::contract::vocabulary::{EMPTY_HASH, Field};
use audience_gate::time;
use std::sync::LazyLock;

/// The values that the table names for a field, and values near them.
pub fn values(field: Field) -> Vec<String> {
    static ALL: LazyLock<Vec<(Field, String)>> = LazyLock::new(|| {
        let mut all = Vec::new();
        for Rule { when, must, .. } in RULES {
            near(when, &mut all);
            near(must, &mut all);
        }
        all
    });
    let own: Vec<_> = ALL.iter().filter(|(of, _)| *of == field).map(|(_, value)| value.clone()).collect();
    if own.is_empty() { vec!["\"x\"".into()] } else { own }
}

fn near(expr: &Expr, all: &mut Vec<(Field, String)>) {
    let text = |text: String| serde_json::Value::from(text).to_string();
    match *expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| near(part, all)),
        Expr::Not(part) => near(part, all),
        Expr::Length(field, least, most) => {
            for length in [least, most].into_iter().flat_map(|bound| [bound.saturating_sub(1), bound, bound + 1]) {
                all.extend(["x", "é", "😀", "\n"].map(|one| (field, text(one.repeat(length as usize)))));
            }
        }
        Expr::OneOf(field, choices) => {
            all.extend(choices.iter().flat_map(|choice| nearly(choice)).map(|choice| (field, text(choice))));
        }
        Expr::Number(field, least, most) => {
            for bound in [Some(least), most].into_iter().flatten() {
                let numbers = [
                    format!("{bound}"),
                    format!("{bound}.0"),
                    format!("{bound}e0"),
                    format!("{}e-1", bound * 10),
                    format!("\"{bound}\""),
                    format!("{}", i64::from(bound) - 1),
                    format!("{}", bound + 1),
                    format!("{bound}.0000000000000000000000001"),
                    format!("{}.9999999999999999999999999", bound.saturating_sub(1)),
                    format!("-{bound}"),
                    "1e300".into(),
                ];
                all.extend(numbers.map(|number| (field, number)));
            }
        }
        Expr::Uuid(field) => all.extend(UUIDS.map(|id| (field, format!("\"{id}\"")))),
        Expr::Sha256(field) => {
            let digits = "0123456789abcdef".repeat(4);
            let near = [
                &digits[1..],
                &digits,
                &format!("{digits}0"),
                &digits.to_uppercase(),
                &digits.replace('a', "g"),
                OF_ADA,
                &"a".repeat(64),
                EMPTY_HASH,
            ];
            all.extend(near.map(|hash| (field, text(hash.into()))));
        }
        Expr::Like(field) => {
            let likes = [
                "like",
                "Like",
                "likes",
                "LIKED",
                "post_like",
                "_LIKE",
                "likely",
                "post_likes",
                "alike",
                "lik",
                "likess",
                "post-like",
                "postLike",
                "lIKE",
                "LIKEpost",
                "photo\u{a0}liked",
                "thumbs_up",
                "thumbsUp",
                "heart",
                "sweetheart",
                "Reaction",
                "kudos2",
                "👍",
                " ❤\u{fe0f}\u{2003}",
                "👍🏽👍",
                "⭐ x",
                "\u{fe0f}",
            ];
            all.extend(likes.map(|like| (field, text(like.into()))));
        }
        Expr::Listed(field, list) => {
            let name = match list {
                List::EventTypes => "event_types",
                List::RetentionRules => "rules",
                List::States => "states",
            };
            let ids: Vec<_> =
                support::listed(name).iter().filter_map(|entry| entry["id"].as_str().map(String::from)).collect();
            all.extend(ids.iter().flat_map(|id| nearly(id)).map(|id| (field, text(id))));
        }
        Expr::OccurredWithin(ahead, behind) => {
            all.extend(times(ahead, behind).map(|time| (Field::OccurredAt, text(time))))
        }
        Expr::Email => all.extend(ADDRESSES.map(|address| (Field::Email, text(address.into())))),
        _ => {}
    }
}

/// The word, and words that are one character away from it.
fn nearly(word: &str) -> [String; 5] {
    let short = &word[..word.len() - 1];
    [word.into(), short.into(), format!("{word}s"), format!(" {word}"), word.to_uppercase()]
}

const UUIDS: [&str; 9] = [
    "00000000-0000-4000-8000-000000000001",
    "3F2B8C1E-5A4D-4F6B-9C7E-1D2A3B4C5D6E",
    "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "7c9e6679-7425-40de-944b-e07fc1f90ae",
    "7c9e6679-7425-40de-944b-e07fc1f90ae70",
    "7c9e6679-7425-40de-944b-e07fc1f90aeg",
    "7c9e66797425-40de-944b-e07fc1f90ae7-",
    "{7c9e6679-7425-40de-944b-e07fc1f90a}",
    "\\u0037c9e6679-7425-40de-944b-e07fc1f90ae7",
];

/// SHA-256 of `ada@example.com`.
const OF_ADA: &str = "b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72";

const ADDRESSES: [&str; 12] = [
    "ada@example.com",
    " Ada@Example.com\t",
    "ada@example",
    "ada@-example.com",
    "ada@exa_mple.com",
    "@example.com",
    "ada@@example.com",
    "ada@example..com",
    "a.!#$%&'*+/=?^_`{|}~-@b.c",
    "\u{212a}ate@example.com",
    "\u{130}da@example.com",
    "ad\u{e9}@example.com",
];

/// Times around both ends of the window, in every form.
fn times(ahead: u32, behind: u32) -> [String; 22] {
    let at = |seconds: i64| {
        let written = time::write(support::RECEIVED_AT / 1000 + seconds * 1000);
        String::from_utf8_lossy(&written[..19]).into_owned()
    };
    let (ahead, behind) = (i64::from(ahead), -i64::from(behind));
    [
        at(ahead) + "Z",
        at(ahead) + ".000001Z",
        at(ahead) + ".0000009z",
        at(ahead + 1) + "Z",
        at(ahead - 1) + ".999999+00:00",
        at(behind) + "Z",
        at(behind - 1) + ".999999Z",
        at(behind - 1) + ".9999999999Z",
        at(behind + 1) + "-00:00",
        at(15 * 3600 + 59 * 60) + "+15:59",
        at(16 * 3600) + "+16:00",
        at(23 * 3600 + 59 * 60) + "+23:59",
        at(-24 * 3600) + "-24:00",
        at(ahead) + ".00000099999999999999Z",
        "2026-11-20T23:59:60Z".into(),
        "2026-11-20T23:59:60.999999999Z".into(),
        "2026-11-21T05:44:60+05:45".into(),
        "2026-11-20T23:59:60+00:01".into(),
        "0001-01-01T00:00:00+00:01".into(),
        at(0).replace('T', " ") + "Z",
        at(-60) + ".Z",
        at(-1).replace(":59", ":60") + "Z",
    ]
}
