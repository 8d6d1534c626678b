/** Plans that have a JSON Schema for each kind of call, as Segment's and those of RudderStack's API do. */
import { Refusal } from "./errors.mjs";
import { at } from "./import_report.mjs";
import { isObject } from "./schema_type.mjs";

/** @typedef {import("./import_formats.mjs").Planned} Planned */
/** @typedef {import("./import_report.mjs").Report} Report */
/** @typedef {Record<string, unknown>} Schema */

/** What each kind of call is, where it is not one of something that was done. @type {Record<string, string>} */
const CALLS = {
  identify: "says who somebody is: the gate takes an event's user_id and e-mail hash, and nothing else about a person",
  group: "says what somebody belongs to: no event of the gate does",
  page: "is the type page_view of the gate",
  screen: "is the type page_view of the gate",
  common: "binds every event: write it as a rule of your own (docs/first-rule.md)",
  global: "binds every event: write it as a rule of your own (docs/first-rule.md)",
  alias: "joins two ids of a person: no event of the gate does",
};

/**
 * Rules that have a JSON Schema of a whole call, in which `properties` is what the event holds.
 *
 * @param {unknown} content @param {string} file @param {Report} report @param {string} maker @returns {Planned[]}
 */
export function calls(content, file, report, maker) {
  const { rules, steps } = ruleList(content);
  if (rules === undefined) {
    throw new Refusal(
      `${file} holds no rules of a ${maker} tracking plan; take it with its rules from the API of ${maker}`,
    );
  }
  /** @type {Map<string, number>} */
  const versions = new Map();
  const version = (/** @type {Schema} */ rule) => Number(rule.version) || 0;
  for (const rule of rules) {
    if (isObject(rule)) versions.set(nameOf(rule), Math.max(version(rule), versions.get(nameOf(rule)) ?? 0));
  }
  wide(content, report);
  return rules.flatMap((rule, index) => {
    const place = at("", ...steps, index);
    if (!isObject(rule)) {
      report.leave(place, "a rule", "it is no object");
      return [];
    }
    const kind = String(rule.type ?? rule.eventType ?? rule.event_type ?? "track").toLowerCase();
    const name = nameOf(rule);
    if (kind !== "track") {
      report.leave(place, name || kind, `a call of the kind ${kind} ${CALLS[kind] ?? "is no event of the gate"}`);
      return [];
    }
    if (version(rule) < (versions.get(name) ?? 0)) {
      report.leave(place, name, `the plan has its version ${versions.get(name)} too`);
      return [];
    }
    const word = ["jsonSchema", "json_schema", "rules", "schema"].find((key) => isObject(rule[key])) ?? "jsonSchema";
    const whole = isObject(rule[word]) ? rule[word] : {};
    const parts = isObject(whole.properties) ? whole.properties : {};
    for (const part of ["context", "traits"]) {
      const says = parts[part];
      if (isObject(says) && (isObject(says.properties) || Array.isArray(says.required))) {
        report.leave(at(place, word, "properties", part), name, `an event of the gate has no ${part}`);
      }
    }
    return [{
      name,
      place,
      description: rule.description ?? whole.description,
      schema: parts.properties,
      schemaPlace: at(place, word, "properties", "properties"),
      document: whole,
    }];
  });
}

const nameOf = (/** @type {Schema} */ rule) => String(rule.name ?? rule.key ?? "");

/** @param {unknown} content @returns {{ rules?: unknown[], steps: string[] }} */
function ruleList(content) {
  if (Array.isArray(content)) return { rules: content, steps: [] };
  for (const steps of [["rules", "events"], ["data", "rules"], ["rules"], ["events"], ["data", "events"], ["data"]]) {
    /** @type {unknown} */
    let found = content;
    for (const step of steps) found = isObject(found) ? found[step] : undefined;
    if (Array.isArray(found)) return { rules: found, steps };
  }
  return { steps: [] };
}

/** What binds other calls than single events. @param {unknown} content @param {Report} report */
function wide(content, report) {
  const rules = isObject(content) && isObject(content.rules) ? content.rules : {};
  for (const kind of Object.keys(CALLS)) {
    if (isObject(rules[kind])) {
      report.leave(at("", "rules", kind), kind, `a rule for calls of the kind ${kind} ${CALLS[kind]}`);
    }
  }
}
