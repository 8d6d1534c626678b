/**
 * Values as the JSON that a sender would send, or an error that says what has none and where it stands.
 *
 * `JSON.stringify` writes it. Where it loses something without a word, it leaves a trace in the text: an empty object for
 * a `Map`, null for `NaN`, numbered members for bytes. Only then is the object walked, to name the place.
 */

const TRACE = /\{\}|null|\{"0":/;
/** A walk ends here; the contract ends far above. */
const MOST_DEPTH = 500;

const encoder = new TextEncoder();

/**
 * The bytes of a value: a `Uint8Array` as it is, a text in UTF-8, anything else as JSON.
 *
 * @param {unknown} value
 * @param {string} name what errors call it
 * @returns {Uint8Array}
 */
export function bytes(value, name) {
  return value instanceof Uint8Array ? value : encoder.encode(typeof value === "string" ? value : json(value, name));
}

/**
 * A member that is a text, or undefined where it is left out.
 *
 * @param {Record<string, unknown>} object
 * @param {string} key
 */
export function text(object, key) {
  const value = object[key] ?? undefined;
  if (value !== undefined && typeof value !== "string") throw new TypeError(`${key} is not a text`);
  return value;
}

/**
 * The JSON of a value.
 *
 * @param {unknown} value
 * @param {string} name what errors call it
 * @returns {string}
 */
export function json(value, name) {
  const text = writtenOrWalked(value, name);
  if (text === undefined) {
    throw new TypeError(`${name} is ${value === undefined ? value : `a ${typeof value}`}, which JSON does not have`);
  }
  if (TRACE.test(text)) walk(value, name, "", []);
  return text;
}

/** @param {unknown} value @param {string} name @returns {string | undefined} */
function writtenOrWalked(value, name) {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    walk(value, name, "", []);
    throw because(`${name} cannot be written as JSON`, cause);
  }
}

/**
 * Throws at the first value that JSON does not have. What JSON leaves out, a function, a symbol and undefined, is passed
 * over, as senders expect.
 *
 * @param {any} value
 * @param {string} path
 * @param {string} key
 * @param {object[]} above the objects that lead here
 */
function walk(value, path, key, above) {
  const given = value;
  const speaks = typeof value === "bigint" || isObject(value);
  if (speaks && typeof read(path, () => value.toJSON) === "function") value = read(path, () => value.toJSON(key));
  if (value === null && given instanceof Date) throw lacking(path, "a Date of no time", "leave it out");
  if (typeof value === "bigint") throw lacking(path, "a BigInt", "send a number or a text");
  if (typeof value === "number" && !Number.isFinite(value)) throw lacking(path, `${value}`, "leave it out");
  if (!isObject(value)) return;
  if (above.includes(value)) throw new TypeError(`${path} leads back to an object that it is part of`);
  if (above.length === MOST_DEPTH) throw new TypeError(`${path} is nested too deep`);
  const inside = [...above, value];
  if (read(path, () => Array.isArray(value))) {
    for (let at = 0; at < value.length; at++) {
      const place = `${path}[${at}]`;
      walk(read(place, () => value[at]), place, `${at}`, inside);
    }
    return;
  }
  const keys = read(path, () => Object.keys(value));
  const kind = read(path, () => Object.prototype.toString.call(value)).slice(8, -1);
  // The content of other objects is elsewhere than in their members; that of arrays of bytes is, but is no text.
  if (!WRITTEN.has(kind) && (keys.length === 0 || kind.endsWith("Array"))) {
    throw lacking(path, `${/^[AEIO]/.test(kind) ? "an" : "a"} ${kind}`, "send a plain object or a list");
  }
  for (const key of keys) {
    const place = `${path}.${key}`;
    walk(read(place, () => value[key]), place, key, inside);
  }
}

const WRITTEN = /* @__PURE__ */ new Set(["Object", "String", "Number", "Boolean"]);

/** @param {unknown} value @returns {value is { [key: PropertyKey]: any }} */
function isObject(value) {
  return typeof value === "object" && value !== null;
}

/** @template T @param {string} path @param {() => T} get @returns {T} */
function read(path, get) {
  try {
    return get();
  } catch (cause) {
    throw because(`${path} cannot be read`, cause);
  }
}

/** @param {string} path @param {string} what @param {string} advice */
function lacking(path, what, advice) {
  return new TypeError(`${path} is ${what}, which JSON does not have: ${advice}`);
}

/** @param {string} what @param {unknown} cause */
function because(what, cause) {
  const reason = cause instanceof Error ? cause.message : cause;
  return new TypeError(typeof reason === "string" ? `${what}: ${reason}` : what, { cause });
}
