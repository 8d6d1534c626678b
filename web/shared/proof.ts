/** Checks in the reader's browser that a row is covered by a signed checkpoint, as `audience-gate seal check` does. */

/** What `audience-gate seal prove` writes: hashes in hexadecimal, and what is hashed as it is hashed. */
export interface Proof {
  readonly entry: string;
  readonly commitment: string;
  readonly leaf_index: number;
  readonly path: readonly string[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** What a proof proves. */
export interface Proven {
  /** The name of whoever signed, and how many rows the checkpoint covers. */
  readonly origin: string;
  readonly size: number;
  /** The values of the entry, after the word that says what it is; null stands for none. */
  readonly kind: string;
  readonly values: readonly (string | null)[];
}

type Bytes = Uint8Array<ArrayBuffer>;

/** What says in a key that it is of Ed25519. */
const ALGORITHM = 1;
const HASH = 32;

/** Checks a proof with the public half of the key that signed its checkpoint; throws the reason if it proves nothing. */
export async function checkProof(proof: Proof, key: string): Promise<Proven> {
  const { origin, size, root } = await opened(proof.checkpoint, key);
  const [commitment, ...path] = [proof.commitment, ...proof.path].map(unhex);
  if (commitment === undefined) throw new Error("a hash in it is not one");
  const leaf = await sha256([0], new TextEncoder().encode(proof.entry), commitment);
  const top = await led(leaf, proof.leaf_index, size, path);
  if (top === null || !isSame(top, root)) throw new Error("its path does not lead to the root of the checkpoint");
  return { origin, size, ...written(proof.entry) };
}

/** Where a path leads from a leaf (RFC 9162, 2.1.3.2); null if it is not one of that place in a tree of that size. */
async function led(leaf: Bytes, index: number, size: number, path: readonly Bytes[]): Promise<Bytes | null> {
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) return null;
  let [place, last, top] = [index, size - 1, leaf];
  const half = (number: number) => Math.floor(number / 2);
  for (const hash of path) {
    if (last === 0) return null;
    if (place % 2 === 1 || place === last) {
      top = await sha256([1], hash, top);
      while (place % 2 === 0 && place !== 0) [place, last] = [half(place), half(last)];
    } else {
      top = await sha256([1], top, hash);
    }
    [place, last] = [half(place), half(last)];
  }
  return last === 0 ? top : null;
}

/** What a note says, if this key has signed it (C2SP signed-note and tlog-checkpoint). */
async function opened(note: string, key: string): Promise<{ origin: string; size: number; root: Bytes }> {
  const { name, id, publicKey } = await keyOf(key);
  const end = note.indexOf("\n\n");
  if (end < 0) throw new Error("it has no signed note");
  const text = note.slice(0, end + 1);
  if (!await isSigned(text, note.slice(end + 2), name, id, publicKey)) {
    throw new Error("its checkpoint is not signed by that key");
  }
  const [origin = "", sizeText = "", rootText = ""] = text.split("\n");
  const size = /^(0|[1-9][0-9]*)$/.test(sizeText) ? Number(sizeText) : NaN;
  const root = unbase64(rootText);
  if (origin !== name) throw new Error("its checkpoint is of another log");
  if (!Number.isSafeInteger(size) || root?.length !== HASH) throw new Error("its checkpoint says no size or no root");
  return { origin, size, root };
}

async function isSigned(text: string, signatures: string, name: string, id: Bytes, key: CryptoKey): Promise<boolean> {
  for (const line of signatures.split("\n")) {
    const [dash, signer, word, ...more] = line.split(" ");
    const signature = unbase64(word ?? "");
    if (dash !== "\u2014" || signer !== name || more.length > 0 || signature === null) continue;
    const data = new TextEncoder().encode(text);
    if (
      isSame(signature.slice(0, id.length), id) &&
      await crypto.subtle.verify("Ed25519", key, signature.slice(id.length), data)
    ) return true;
  }
  return false;
}

/** The name, the id and the key in a key's text, such as `NAME+0123abcd+AbC…`. */
async function keyOf(text: string): Promise<{ name: string; id: Bytes; publicKey: CryptoKey }> {
  const [, name = "", sent = "", encoded = ""] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? [];
  const key = unbase64(encoded);
  if (key?.length !== HASH + 1 || key[0] !== ALGORITHM) {
    throw new Error("that is not a public key, such as NAME+0123abcd+AbC…, which `audience-gate seal key` prints");
  }
  const id = (await sha256(new TextEncoder().encode(`${name}\n`), key)).slice(0, 4);
  if (hex(id) !== sent) throw new Error("the public key is damaged: its id is another's");
  const publicKey = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
  return { name, id, publicKey };
}

/** The values of an entry, each of which follows its length in bytes. */
function written(entry: string): { kind: string; values: (string | null)[] } {
  const bytes = new TextEncoder().encode(entry);
  const kind = /^[a-z]*/.exec(entry)?.[0] ?? "";
  const values: (string | null)[] = [];
  let at = kind.length;
  while (at < bytes.length) {
    const colon = bytes.indexOf(0x3a, at);
    if (colon < 0) throw new Error("its entry is not one");
    const length = new TextDecoder().decode(bytes.subarray(at, colon));
    at = colon + 1 + Number(length);
    values.push(length === "" ? null : new TextDecoder().decode(bytes.subarray(colon + 1, at)));
  }
  return { kind, values };
}

async function sha256(...parts: (Bytes | number[])[]): Promise<Bytes> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
}

const hex = (bytes: Bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const isSame = (one: Bytes, other: Bytes) => hex(one) === hex(other);

function unhex(text: string): Bytes {
  if (text.length !== 2 * HASH || !/^[0-9a-f]+$/.test(text)) throw new Error("a hash in it is not one");
  return Uint8Array.from(text.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}

/** The bytes of a base64 text; null if it is not exactly what they are written as. */
function unbase64(text: string): Bytes | null {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  const bytes = atob(text);
  return btoa(bytes) === text ? Uint8Array.from(bytes, (character) => character.charCodeAt(0)) : null;
}
