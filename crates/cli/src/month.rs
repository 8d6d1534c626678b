//! Months of the event log, in UTC, as arguments and as names of folders.

use audience_gate::time;
use std::fmt;
use std::str::FromStr;

/// A month such as 2026-01.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Month {
    year: u16,
    month: u8,
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a month; send one such as 2026-01");
        let (year, month) = text.split_once('-').filter(|_| text.len() == 7).ok_or_else(wrong)?;
        let (year, month) = (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
        if year == 0 || !(1..=12).contains(&month) {
            return Err(wrong());
        }
        Ok(Month { year, month })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

impl Month {
    /// The month after it.
    pub fn next(self) -> Self {
        if self.month == 12 { Month { year: self.year + 1, month: 1 } } else { Month { month: self.month + 1, ..self } }
    }

    /// Its first day, as SQL writes it.
    pub fn day(self) -> String {
        format!("{self}-01")
    }
}

/// A moment in microseconds since 1970, as RFC 3339 with six digits of the second.
pub fn moment(micros: i64) -> String {
    let to_millis = time::write(micros.div_euclid(1000));
    let text = String::from_utf8_lossy(&to_millis);
    format!("{}{:03}Z", text.trim_end_matches('Z'), micros.rem_euclid(1000))
}
