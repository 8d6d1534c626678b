/** One walk over an event for everything that schemas do not cover: text that cannot be stored, size, personal data. */
import { holdsEmail, holdsPersonalValue, namesPersonalData } from "./personal.ts";
import type { Json, Members } from "./types.ts";

const MOST_DEPTH = 32;
const MOST_METADATA_BYTES = 8192;
const TELLING_DIGITS = 7;
const AT = 1;
const DIGITS = 2;
const UNSTORABLE = 4;
const FORMS = new Set(["id", "occurred_at", "user_id", "site_id", "email"]);

/** What one walk found. It is the same object every time, so it must be read before the next walk. */
const seen = {
  tooDeep: false,
  unstorableText: false,
  unstorableNumber: false,
  rawEmail: false,
  personalKey: false,
  personalValue: false,
  bytes: 0,
};

/** Walks over the whole event. */
export function inspect(event: Members): Readonly<typeof seen> {
  seen.tooDeep = seen.unstorableText = seen.unstorableNumber = false;
  seen.rawEmail = seen.personalKey = seen.personalValue = false;
  seen.bytes = 0;
  for (const key in event) {
    const value = event[key];
    if (key === "metadata") {
      walk(value, 1);
    } else if (typeof value === "string") {
      // A field with a form of its own is judged by that form; only what is stored as text can hide something.
      if (FORMS.has(key)) {
        if (marks(value) & UNSTORABLE) storable(value);
      } else {
        look(value);
      }
    } else if (typeof value === "number" || (typeof value === "object" && value !== null)) {
      const { rawEmail, personalKey, personalValue } = seen;
      walk(value, 1);
      Object.assign(seen, { rawEmail, personalKey, personalValue });
    }
  }
  return seen;
}

function walk(value: Json, depth: number) {
  if (typeof value === "string") {
    // A unit takes at most three bytes, or six if it is escaped, and there are two quotes. Above that, the exact size
    // decides.
    seen.bytes += 6 * value.length + 2;
    look(value);
  } else if (typeof value === "number") {
    seen.bytes += 25;
    if (!Number.isFinite(value)) seen.unstorableNumber = true;
  } else if (typeof value === "object" && value !== null) {
    if (depth >= MOST_DEPTH) {
      seen.tooDeep = true;
      return;
    }
    seen.bytes += 2;
    if (Array.isArray(value)) {
      seen.bytes += 2 * value.length;
      for (const item of value) walk(item, depth + 1);
      return;
    }
    for (const key in value) {
      seen.bytes += 6 * key.length + 6;
      if (namesPersonalData(key)) seen.personalKey = true;
      look(key);
      walk(value[key], depth + 1);
    }
  } else {
    seen.bytes += 5;
  }
}

/** A cheap first look, which clears nearly every text: what, if anything, a closer look should search for. */
function marks(text: string): number {
  let digits = 0;
  let found = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0x30 && unit <= 0x39) digits++;
    else if (unit === 0x40 || unit === 0x25) found |= AT;
    else if (unit === 0 || (unit >= 0xd800 && unit <= 0xdfff)) found |= UNSTORABLE;
  }
  return digits >= TELLING_DIGITS ? found | DIGITS : found;
}

function look(text: string) {
  const found = marks(text);
  if (found === 0) return;
  if (found & UNSTORABLE) storable(text);
  if (found & AT && holdsEmail(text)) seen.rawEmail = true;
  if (found & DIGITS && holdsPersonalValue(text)) seen.personalValue = true;
}

function storable(text: string) {
  if (text.includes("\0") || !text.isWellFormed()) seen.unstorableText = true;
}

/** Whether metadata has more bytes than Postgres may store; an e-mail still to be hashed counts as its hash. */
export function oversized(metadata: Members, email: Json | undefined): boolean {
  const hashed = typeof email === "string" ? 130 : 0;
  return seen.bytes + hashed > MOST_METADATA_BYTES && postgresSize(metadata) + hashed > MOST_METADATA_BYTES;
}

/** How many bytes a value has as Postgres writes a `jsonb`, with a blank after every colon and comma. */
function postgresSize(value: Json): number {
  if (typeof value !== "object" || value === null) return new TextEncoder().encode(JSON.stringify(value)).length;
  const entries = Object.entries(value);
  const gaps = Math.max(0, 2 * (entries.length - 1)) + 2;
  if (Array.isArray(value)) return entries.reduce((sum, [, item]) => sum + postgresSize(item), gaps);
  return entries.reduce((sum, [key, item]) => sum + postgresSize(key) + 2 + postgresSize(item), gaps);
}

/** Whether an event type or share type is a like. */
const LIKE =
  /(?<![a-z])(?:like|likes|liked|liking|unlike|unliked|thumb|thumbs|thumbsup|heart|hearts|hearted|reaction|reactions|react|reacted|upvote|upvotes|upvoted|kudos)(?![a-z])/;
const SCORE = /(?<![a-z])scores?(?![a-z])/;
const SIGNS =
  /^[\s\ufe0e\ufe0f\u{1f3fb}-\u{1f3ff}]*(?:[\u{1f44d}\u2764\u{1f60d}\u2b50][\s\ufe0e\ufe0f\u{1f3fb}-\u{1f3ff}]*)+$/u;
/** A text as it is and with camel case split, in small letters. */
const split = (text: string) =>
  text.toLowerCase() + " " +
  text.replace(/([a-z])(?=[A-Z])/g, "$1 ").replace(/([A-Z])(?=[A-Z][a-z])/g, "$1 ").toLowerCase();

export function namesLike(value: Json | undefined): boolean {
  return typeof value === "string" && (LIKE.test(split(value)) || SIGNS.test(value));
}

const STATE = /^(prior|new)[_ .-]?state$/i;

/** Whether a value or an object within it names a blocked jump. */
export function namesBlockedJump(value: Json, blocked: Set<string>): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some((item) => namesBlockedJump(item, blocked));
  const from: string[] = [];
  const to: string[] = [];
  for (const key in value) {
    const content = value[key];
    if (typeof content === "object") {
      if (key !== "original_payload_snapshot" && namesBlockedJump(content, blocked)) return true;
    } else if (typeof content === "string") {
      const which = STATE.exec(key)?.[1];
      if (which) (which.toLowerCase() === "prior" ? from : to).push(content);
    }
  }
  return from.some((before) => to.some((after) => blocked.has(`${before} ${after}`.toLowerCase())));
}

/** Whether a key of a value has the word score, at any depth. */
export function namesScore(value: Json | undefined): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(namesScore);
  for (const key in value) if (SCORE.test(split(key)) || namesScore(value[key])) return true;
  return false;
}

/** The value with everything personal replaced. */
export function redact(value: Json): Json {
  if (typeof value === "string") {
    return holdsEmail(value) ? "[redacted:email]" : holdsPersonalValue(value) ? "[redacted:personal]" : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(redact);
  const out: Members = {};
  for (const key in value) {
    if (holdsEmail(key)) out["[redacted:email]"] = "[redacted:personal]";
    else out[key] = namesPersonalData(key) ? "[redacted:personal]" : redact(value[key]);
  }
  return out;
}
