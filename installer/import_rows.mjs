/** The rows that the events of a plan become: under which id, in which category, and beside what the registry has. */
import { contract, redact } from "audience-gate/inline";
import { Refusal } from "./errors.mjs";
import { payloadOf } from "./import_payload.mjs";
import { Report } from "./import_report.mjs";
import { isStorable, storable } from "./import_parts.mjs";
import { broken } from "./plan_module.mjs";
import { payloadSchema } from "./plan_schema.mjs";
import { isObject } from "./schema_type.mjs";

/** @typedef {import("./plan_schema.mjs").PlannedType} PlannedType */
/** @typedef {import("./import_formats.mjs").Planned} Planned */
/** @typedef {{ id?: string, category?: string, tier?: string, score_weight?: number } | null} Mapped null: it is left out */
/** @typedef {PlannedType & { active?: boolean }} Known a type that the registry has */
/** @typedef {{ row: PlannedType, does: "insert" | "replace" }} Change */

const TIERS = ["consumer", "practitioner", "clinic", "network", "system"];
const CATEGORIES = ["engagement", "subscription", "advocacy", "attribution", "retention", "system"];
/** Which category a word of an id speaks for. Nobody says of themselves what retention and system say. */
const HINTS = [
  {
    category: "advocacy",
    words: /(^|_)(shared?|refer|referral|referred|invited?|review(ed)?|testimonial|recommend(ed)?)(_|$)/,
  },
  {
    category: "subscription",
    words: /(^|_)(subscribed?|subscription|newsletter|sign(ed)?_?up|registered|opt(ed)?_in)(_|$)/,
  },
  { category: "attribution", words: /(^|_)(landing|landed|campaign|utm|attribution|attributed)(_|$)/ },
];

/** A name in the form of the registry: small letters and digits, with underscores between words. @param {string} name */
export const idOf = (name) =>
  name.normalize("NFKC").replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1_$2").replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1_$2")
    .toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, "_").replaceAll(/^_+|_+$/g, "");

/** @param {string} text */
export const redacted = (text) => /** @type {string} */ (JSON.parse(redact(JSON.stringify(text))));

/**
 * @param {Planned[]} events @param {Report} report
 * @param {{ known: Map<string, Known>, shipped: Set<string>, mapping: Record<string, Mapped>, replace: boolean, module: ReturnType<typeof import("./plan_module.mjs").moduleFor> }} given
 * @returns {{ changes: Change[], mapping: Record<string, Mapped> }}
 */
export function rowsOf(events, report, { known, shipped, mapping, replace, module }) {
  /** @type {Map<string, string>} */
  const seen = new Map();
  /** @type {[string, Mapped][]} */
  const used = [];
  /** @type {Change[]} */
  const changes = [];
  report.events.planned = events.length;
  for (const name of Object.keys(mapping)) {
    if (!events.some((event) => event.name === name)) report.share(name, "the mapping names it, and the plan does not");
  }
  for (const event of events) {
    const { name, place } = event;
    const mapped = Object.hasOwn(mapping, name) ? mapping[name] : {};
    const id = mapped?.id ?? event.row?.id ?? idOf(name);
    const refusal = mapped === null ? "the mapping leaves it out" : refused(id, event, seen);
    const said = new Report();
    const change = mapped === null || refusal !== undefined ? null : changeOf(event, id, mapped, said);
    if (refusal !== undefined) said.leave(redacted(place), redacted(name) || "an event without a name", refusal);
    if (mapped === null) used.push([name, null]);
    if (change !== null) {
      said.carry();
      report.events.carried += 1;
    }
    report.add(said, change !== null);
    if (change) changes.push(change);
  }
  changes.sort((a, b) => a.row.id < b.row.id ? -1 : 1);
  return { changes, mapping: Object.fromEntries(used) };

  /** @param {Planned} event @param {string} id @param {NonNullable<Mapped>} mapped @param {Report} said */
  function changeOf(event, id, mapped, said) {
    const { name, place } = event;
    seen.set(id, `${name} at ${place}`);
    if (id !== name) said.change(place, name, `its events are of the type ${id}: that is what senders say`);
    const payload = payloadOf(event.schema, event.schemaPlace, {
      report: said,
      document: event.document,
      about: name,
      description: event.row === undefined ? event.description : undefined,
      ...module,
      redact: redacted,
      places: event.places,
      requiredPlaces: event.requiredPlaces,
      spots: event.spots,
      isExported: event.isExported,
    });
    const { category, missing } = categoryOf(id, mapped.category ?? event.row?.category, payload);
    const there = known.get(id);
    const tier = mapped.tier ?? event.row?.tier ?? (there === undefined ? "consumer" : there.tier);
    used.push([name, { id, category, ...tier === undefined ? {} : { tier }, ...mapped }]);
    const row = { ...event.row, ...description(event, said), ...mapped, id, category, payload_schema: payload };
    const change = beside(row, event, there, { shipped, replace, report: said });
    for (const { rule_id, reason } of change ? missing : []) {
      said.share(name, `as ${category} events, they also have to satisfy ${rule_id}: ${reason}`);
    }
    return change;
  }
}

/** Why an event cannot become a row under this id. @param {string} id @param {Planned} event @param {Map<string, string>} seen */
function refused(id, { name, row = {} }, seen) {
  if (!isStorable(id)) return "Postgres cannot hold its name; give it an id in the mapping";
  if (["base.event_type", "sanity.event_type_length"].some((rule) => broken(rule, id, "engagement", {}).length > 0)) {
    return `${id || "its name"} is too short or too long for an id; give it one in the mapping`;
  }
  const before = seen.get(id);
  if (before !== undefined) {
    return `${id} is taken in this plan by ${before}; give one of them another id in the mapping`;
  }
  if (redacted(name) !== name || broken("privacy.", id, "engagement", {}).length > 0) {
    return "its name holds something personal; give it another in the plan";
  }
  if (row.category !== undefined && !CATEGORIES.includes(row.category)) {
    return `its category is none of ${CATEGORIES.join(", ")}`;
  }
  if (row.tier !== undefined && !TIERS.includes(row.tier)) return `its tier is none of ${TIERS.join(", ")}`;
  const { score_weight: weight = 0, daily_cap: cap = 1, withdraws_consent: withdraws = false } = row;
  if (!(weight >= 0) || !(Number.isInteger(cap) && cap > 0) || typeof withdraws !== "boolean") {
    return "its x-score-weight, x-daily-cap or x-withdraws-consent is not one that a row can have";
  }
  return undefined;
}

/** The category that is said, or the first that these events can satisfy. @param {string} id @param {string | undefined} said @param {unknown} payload */
function categoryOf(id, said, payload) {
  const metadata = example(payload);
  const reasons = new Map(contract().rules.map(({ id, reason }) => [id, reason]));
  const missing = (/** @type {string} */ category) =>
    broken(`${category}.`, id, category, metadata)
      .map(({ rule_id }) => ({ rule_id, reason: String(reasons.get(/** @type {never} */ (rule_id))) }));
  if (said !== undefined) return { category: said, missing: missing(said) };
  const hinted = HINTS.filter(({ words }) => words.test(id)).map(({ category }) => category);
  const [category] = [...hinted, "engagement", "attribution"].filter((category) => missing(category).length === 0);
  const chosen = category ?? hinted[0] ?? "engagement";
  return { category: chosen, missing: missing(chosen) };
}

/** Metadata with every key that a payload schema names. @param {unknown} payload */
function example(payload) {
  const properties = isObject(payload) && isObject(payload.properties) ? payload.properties : {};
  const required = isObject(payload) && Array.isArray(payload.required) ? payload.required : [];
  const value = (/** @type {unknown} */ says) => {
    const given = isObject(says) ? says : {};
    const [type] = [given.type].flat();
    if (Array.isArray(given.enum)) return given.enum[0];
    if (type === "boolean") return true;
    if (type === "object") return {};
    if (type === "array") return [];
    if (type === "number" || type === "integer") return Math.max(50, Number(given.minimum ?? 0));
    return "of";
  };
  return Object.fromEntries([
    ...required.map((key) => [key, "of"]),
    ...Object.entries(properties).map(([key, says]) => [key, value(says)]),
  ]);
}

/** @param {Planned} event @param {Report} report @returns {{ description?: string }} */
function description({ description, place, name }, report) {
  if (typeof description !== "string" || description === "") return {};
  const plain = storable(description);
  const shown = redacted(plain);
  if (shown !== plain) report.change(place, name, "something personal was taken out of the description");
  return { description: shown };
}

/** What is to be done beside what the registry has: nothing where it is the same, null where it may not be done. @param {PlannedType} row @param {Planned} event @param {Known | undefined} there @param {{ shipped: Set<string>, replace: boolean, report: Report }} given @returns {Change | undefined | null} */
function beside(row, { name, place }, there, { shipped, replace, report }) {
  if (there === undefined) return { row, does: "insert" };
  const differs = /** @type {(keyof PlannedType)[]} */ (Object.keys(row)).filter((column) =>
    column === "payload_schema"
      ? JSON.stringify(payloadSchema(row.payload_schema)) !== JSON.stringify(payloadSchema(there.payload_schema))
      : there[column] !== undefined && row[column] !== there[column]
  );
  if (differs.length === 0 && there.active !== false) {
    report.share(name, "the registry has it as it is planned");
    return undefined;
  }
  const taken = `the registry has ${row.id}${there.active === false ? ", which is switched off" : ""}, and ${
    differs.join(", ") || "nothing"
  } of it differs`;
  if (shipped.has(row.id) && ["retention", "system"].includes(there.category)) {
    report.leave(place, name, `${taken}; the gate itself writes such events, and no plan changes them`);
    return null;
  }
  if (!replace) {
    const ships = shipped.has(row.id) ? " It ships with the gate." : "";
    report.leave(
      place,
      name,
      `${taken}; keep it, give yours another id in the mapping, or change it with --replace.${ships}`,
    );
    return null;
  }
  report.change(place, name, `${row.id} of the registry is replaced: ${differs.join(", ") || "it is switched on"}`);
  return { row, does: "replace" };
}

/** A mapping as somebody wrote it. @param {unknown} given @param {string} file @returns {Record<string, Mapped>} */
export function mappingOf(given, file) {
  if (!isObject(given)) {
    throw new Refusal(`${file} is no mapping: it is an object with a member for each event of the plan`);
  }
  for (const [name, says] of Object.entries(given)) {
    if (says === null) continue;
    const wrong = !isObject(says)
      ? "it is neither an object nor null"
      : says.id !== undefined && typeof says.id !== "string"
      ? "its id is no text"
      : says.category !== undefined && !CATEGORIES.includes(String(says.category))
      ? `its category is none of ${CATEGORIES.join(", ")}`
      : says.tier !== undefined && !TIERS.includes(String(says.tier))
      ? `its tier is none of ${TIERS.join(", ")}`
      : says.score_weight !== undefined && !(Number(says.score_weight) >= 0)
      ? "its score_weight is no number from 0"
      : Object.keys(says).find((key) => !["id", "category", "tier", "score_weight"].includes(key));
    if (wrong !== undefined) throw new Refusal(`${file} cannot be used at ${name}: ${wrong}`);
  }
  return /** @type {Record<string, Mapped>} */ (given);
}
