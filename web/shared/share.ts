/** A link with the event in its fragment, the part that browsers do not send to any server. */

const KEY = "event";
/** In bytes of text. The contract shortens what it redacts, and a link must not lose a part of an event without saying so. */
const LONGEST = 2000;
/** What a link may hold when it is opened: more than this page ever puts into one, and nothing that could fill a tab. */
const LONGEST_PACKED = 4096;
const LONGEST_TEXT = 65_536;

const SHORTENED = /…|\[shortened:/g;

export type Shared =
  | { readonly ok: true; readonly url: string; readonly changed: boolean }
  | { readonly ok: false; readonly reason: string };

/** The link for `text`, without personal values; `changed` says whether there were any. */
export async function shareLink(text: string, page: string, redact: (text: string) => string): Promise<Shared> {
  const safe = withoutPersonal(text, redact);
  if (new TextEncoder().encode(text).length > LONGEST || count(safe, SHORTENED) > count(text, SHORTENED)) {
    return { ok: false, reason: "This text is too long for a link. Shorten it and try again." };
  }
  const packed = base64url(await packedBytes(new TextEncoder().encode(safe)));
  const url = new URL(page);
  url.search = "";
  url.hash = `${KEY}=${packed}`;
  return { ok: true, url: url.href, changed: same(safe) !== same(text) };
}

/** The text of a link, which anybody may have written; undefined if it holds none. */
export async function sharedText(hash: string): Promise<string | undefined> {
  if (hash.length > LONGEST_PACKED) return undefined;
  const packed = new URLSearchParams(hash.slice(1)).get(KEY);
  if (!packed) return undefined;
  try {
    const stream = new Blob([fromBase64url(packed)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let text = "";
    for (const reader = stream.getReader();;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      text += decoder.decode(value, { stream: true });
      if (text.length > LONGEST_TEXT) return void reader.cancel();
    }
  } catch {
    return undefined;
  }
}

/** Replaces an address in the field `email` by one that belongs to nobody, so that the verdict stays the same. */
function withoutPersonal(text: string, redact: (text: string) => string): string {
  const event = objectIn(text);
  if (typeof event?.["email"] !== "string") return redact(text);
  const { email: _, ...others } = event;
  return JSON.stringify({ ...objectIn(redact(JSON.stringify(others))), email: "someone@example.com" }, null, 2);
}

function objectIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function count(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].length;
}

/** Compares without white space and the order of keys, because redaction lays out JSON anew. */
function same(text: string): string {
  const inOrder = (_: string, value: unknown) =>
    value !== null && typeof value === "object" && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => left < right ? -1 : 1))
      : value;
  try {
    return JSON.stringify(JSON.parse(text), inOrder);
  } catch {
    return text;
  }
}

async function packedBytes(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function base64url(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}
