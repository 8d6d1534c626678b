/** The contract's list of words that name personal data, and its patterns for what looks like it. */

const WORDS = (
  "address,allergies,allergy,birth,birthdate,birthday,card number,credit card,cvc,cvv,diagnoses,diagnosis," +
  "disability,disease,diseases,dob,driver license,driving licence,e mail,email,emails,ethnicity,family name,fax," +
  "first name,firstname,forename,full name,fullname,given name,hiv,iban,illness,ip,ipv,last name,lastname," +
  "mail address,maiden name,medical,medication,medications,middle name,mobile number,national id,passport,password," +
  "patient,phone,phones,postal code,postcode,pregnancy,pregnant,prescription,prescriptions,religion," +
  "sexual orientation,social security,ssn,street,surname,symptom,symptoms,tax id,telephone,zip code,zipcode"
).split(",");
const PERSONAL = new RegExp(`(?:^| )(?!email hash(?: |$))(?:${WORDS.join("|")})(?: |$)`);

// Keys repeat from event to event, so verdicts are kept, but at most this many: a sender who invents keys cannot make
// memory grow.
const KEPT_KEYS = 4096;
const keys = new Map<string, boolean>();

export function namesPersonalData(key: string): boolean {
  const known = keys.get(key);
  if (known !== undefined) return known;
  const words = key
    .replace(/[^a-zA-Z0-9\u0080-\uffff]+/g, " ")
    .replace(/([a-zA-Z])(?=[0-9])|([0-9])(?=[a-zA-Z])/g, "$1$2 ")
    .replace(/([a-z])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2 ")
    .toLowerCase();
  const verdict = PERSONAL.test(words.trim());
  if (keys.size >= KEPT_KEYS) keys.clear();
  keys.set(key, verdict);
  return verdict;
}

const EMAIL =
  /[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\u0080-\uffff-](?:@|%(?:25)*40)[a-zA-Z0-9\u0080-\uffff-]+\.(?:[a-zA-Z0-9\u0080-\uffff-]+\.)*[a-zA-Z\u0080-\uffff][a-zA-Z0-9\u0080-\uffff-]/;

export const holdsEmail = (text: string) => EMAIL.test(text);

const PHONE = /(?<![a-zA-Z0-9])(?:\+|%2[bB])([1-9][0-9 .()-]*)/g;
const DIGIT_RUN = /[0-9](?:[ -]?[0-9]){8,}/g;
const UUIDS = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;
const LONG_RUN = /[0-9](?:[ -]?[0-9]){8}/;
const SSN = /(?<![0-9])(?!000|666|9)[0-9]{3}[ -](?!00)[0-9]{2}[ -](?!0000)[0-9]{4}(?![0-9])/;

export function holdsPersonalValue(text: string): boolean {
  return ((text.includes("+") || text.includes("%")) && holdsPhone(text)) ||
    (LONG_RUN.test(text) && holdsCardOrSsn(text));
}

function holdsPhone(text: string): boolean {
  for (const [, tail] of text.matchAll(PHONE)) {
    const digits = tail.split(/[ .()-]{3,}/, 1)[0].replace(/[^0-9]/g, "").length;
    if (digits >= 7 && digits <= 15) return true;
  }
  return false;
}

function holdsCardOrSsn(text: string): boolean {
  const runs = text.match(DIGIT_RUN) ?? [];
  if (runs.some((run) => SSN.test(run))) return true;
  // About one UUID in ten thousand holds digits that could be a card's.
  return runs.some(holdsCard) && (text.replace(UUIDS, "x").match(DIGIT_RUN) ?? []).some(holdsCard);
}

function holdsCard(run: string): boolean {
  const groups = run.split(/[ -]/);
  for (let from = 0; from < groups.length; from++) {
    if (!/^[2-6]/.test(groups[from])) continue;
    let digits = "";
    for (let to = from; to < groups.length && digits.length <= 19; to++) {
      digits += groups[to];
      if (digits.length >= 13 && digits.length <= 19 && luhn(digits)) return true;
    }
  }
  return false;
}

function luhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const value = (digits.charCodeAt(digits.length - 1 - at) - 48) << (at & 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}
