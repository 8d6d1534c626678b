//! RFC 3339 by a plain reading.

/// Microseconds since 1970; digits of the second beyond the sixth are cut.
pub fn read(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't'])?;
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|digit| digit.is_ascii_digit());
    let micros: i64 = if is_fraction { format!("{fraction:0<6}")[..6].parse().ok()? } else { return None };
    if year == 0 || day == 0 || day > *days_of_months(year).get(month.checked_sub(1)? as usize)? {
        return None;
    }
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let whole_years: i64 = if year < 1970 { -days(year, 1970) } else { days(1970, year) };
    let whole_months: i64 = days_of_months(year)[..month as usize - 1].iter().sum();
    let minutes = ((whole_years + whole_months + day - 1) * 24 + hour) * 60 + minute - offset(zone)?;
    let ends_a_day = minutes.rem_euclid(24 * 60) == 24 * 60 - 1;
    let seconds = minutes * 60 + second;
    let is_in_years = seconds >= -days(1, 1970) * 86_400 && seconds < days(1970, 10_000) * 86_400;
    (is_in_years && (second < 60 || ends_a_day)).then_some(seconds * 1_000_000 + micros)
}

/// The offset from UTC in minutes.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let [hours, minutes] = numbers(&zone[1..], ':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// `COUNT` numbers between joints, each with the given number of digits.
fn numbers<const COUNT: usize>(text: &str, joint: char, digits: [usize; COUNT]) -> Option<[i64; COUNT]> {
    let parts: Vec<_> = text.split(joint).collect();
    let is_form = parts.len() == COUNT
        && parts
            .iter()
            .zip(digits)
            .all(|(part, most)| part.len() == most && part.bytes().all(|digit| digit.is_ascii_digit()));
    is_form.then(|| std::array::from_fn(|place| parts[place].parse().unwrap_or_default()))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of_months(year: i64) -> [i64; 12] {
    [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

/// How many days there are in all the years from one to another.
fn days(from: i64, to: i64) -> i64 {
    (from..to).map(|year| if is_leap(year) { 366 } else { 365 }).sum()
}
