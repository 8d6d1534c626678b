/** The form: it builds an event from the registry's own values and writes it into the editor as it grows. */
import { byId, el } from "../shared/dom.ts";
import { textBlock } from "../shared/json.ts";
import { CATEGORIES } from "../shared/limits.ts";
import type { Registry } from "./gate.ts";

/** What the contract asks of a category's metadata, in addition to the event type's payload schema. */
const ASKED: Readonly<Record<string, readonly string[]>> = {
  engagement: ["content_id", "page_path"],
  subscription: ["channel", "consent_recorded"],
  advocacy: ["platform", "share_type", "outbound_target"],
  retention: ["prior_state", "new_state", "inactivity_days", "rule_id"],
  attribution: ["landing_page"],
  system: ["validation_rule_id", "validation_result", "source_system"],
};
const UTM = ["utm_source", "utm_medium", "utm_campaign"] as const;

/** What a form can show of a key; a schema may say anything else of it. */
interface Property {
  readonly type?: unknown;
  readonly enum?: readonly unknown[];
}
/** What a form can show of a payload schema, which is any JSON Schema. */
interface Schema {
  readonly properties?: Readonly<Record<string, Property | boolean>>;
  readonly required?: readonly string[];
}
const KINDS: readonly unknown[] = ["string", "number", "integer", "boolean"];
/** What a field shows of a key, or says to people. */
const SHOWN = ["type", "enum", "title", "description", "personal", "examples", "default"];

type Values = Readonly<Record<string, unknown>>;

export function builder(registry: Registry, write: (text: string) => void): { read: (text: string) => void } {
  const category = byId<HTMLSelectElement>("build-category");
  const type = byId<HTMLSelectElement>("build-type");
  const session = byId<HTMLInputElement>("build-session");
  const source = byId<HTMLInputElement>("build-source");
  const fields = byId("build-fields");

  category.replaceChildren(...CATEGORIES.map((name) => el("option", {}, name)));
  category.addEventListener("change", () => {
    offerTypes();
    offerFields({});
    rest = { event: {}, metadata: {} };
    compose();
  });
  type.addEventListener("change", () => {
    offerFields(collect());
    rest = { event: {}, metadata: {} };
    compose();
  });
  for (const input of [session, source, fields]) input.addEventListener("input", compose);
  /** What the event holds that no field shows. */
  let rest: { readonly event: Values; readonly metadata: Values } = { event: {}, metadata: {} };
  offerTypes();
  offerFields({});

  return { read };

  function offerTypes(): void {
    const offered = registry.event_types.filter((entry) => entry.category === category.value);
    type.replaceChildren(...offered.map((entry) => el("option", {}, entry.id)));
  }

  function offerFields(values: Readonly<Record<string, unknown>>): void {
    const schema: Schema = registry.event_types.find((entry) => entry.id === type.value)?.payload_schema ?? {};
    const names = new Set([...(ASKED[category.value] ?? []), ...Object.keys(schema.properties ?? {})]);
    const required = new Set(schema.required ?? []);
    const property = (name: string) => {
      const says = schema.properties?.[name];
      return typeof says === "object" ? says : undefined;
    };
    fields.replaceChildren(
      ...[...names].map((name) => field(name, property(name), required.has(name), values[name])),
      ...(category.value === "attribution" ? UTM.map((name) => field(name, undefined, false, values[name])) : []),
      ...(saysMore(schema) ? [more(schema)] : []),
    );
  }

  function field(name: string, property: Property | undefined, required: boolean, value: unknown): HTMLElement {
    const kind = name === "consent_recorded"
      ? "boolean"
      : name === "inactivity_days"
      ? "number"
      : property === undefined || KINDS.includes(property.type)
      ? String(property?.type ?? "string")
      : "json";
    const options = (Array.isArray(property?.enum) ? property.enum.map(written) : undefined) ?? choices(name);
    const shown = value === undefined || value === null ? "" : kind === "json" ? inJson(value) : String(value);
    const control = options ?? (kind === "boolean" ? ["true", "false"] : undefined);
    const id = `field-${name}`;
    const input = control
      ? el(
        "select",
        { id, name, "data-kind": kind },
        el("option", { value: "" }, "not sent"),
        control.map((text) => el("option", { selected: text === shown }, text)),
      )
      : el("input", {
        id,
        name,
        "data-kind": kind,
        value: shown,
        inputmode: kind === "number" || kind === "integer" ? "decimal" : "text",
        autocomplete: "off",
        spellcheck: "false",
      });
    return el(
      "div",
      { class: "field" },
      el("label", { for: id }, el("code", {}, name), required && " (required)"),
      input,
    );
  }

  function choices(name: string): readonly string[] | undefined {
    if (name === "prior_state" || name === "new_state") return registry.states;
    return name === "rule_id" ? registry.rules : undefined;
  }

  function collect(): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const input of fields.querySelectorAll<HTMLInputElement | HTMLSelectElement>("[name]")) {
      if (input.value === "") continue;
      values[input.name] = typed(input.value, input.dataset["kind"]);
    }
    return values;
  }

  function compose(): void {
    const metadata = collect();
    const utm = Object.fromEntries(UTM.filter((name) => name in metadata).map((name) => [name, metadata[name]]));
    for (const name of UTM) delete metadata[name];
    const event = {
      session_id: session.value,
      event_type: type.value,
      event_category: category.value,
      event_source: source.value,
      ...utm,
      ...rest.event,
      metadata: { ...rest.metadata, ...metadata },
    };
    write(JSON.stringify(event, null, 2));
  }

  /** The editor's event, as far as the form can show it. */
  function read(text: string): void {
    const event = asObject(text);
    if (!event) return;
    const metadata = typeof event["metadata"] === "object" && event["metadata"] !== null
      ? (event["metadata"] as Record<string, unknown>)
      : {};
    if (CATEGORIES.some((name) => name === event["event_category"])) category.value = String(event["event_category"]);
    offerTypes();
    if (registry.event_types.some((entry) => entry.id === event["event_type"] && entry.category === category.value)) {
      type.value = String(event["event_type"]);
    }
    session.value = String(event["session_id"] ?? "");
    source.value = String(event["event_source"] ?? "");
    offerFields({ ...metadata, ...event });
    const shown = new Set([...fields.querySelectorAll<HTMLInputElement>("[name]")].map(({ name }) => name));
    const others = (all: Values, more: readonly string[]) =>
      Object.fromEntries(Object.entries(all).filter(([name]) => !shown.has(name) && !more.includes(name)));
    rest = { event: others(event, OWN), metadata: others(metadata, []) };
  }
}

/** The fields that the form always has, and that which it fills. */
const OWN = ["session_id", "event_type", "event_category", "event_source", "metadata"];

/** Whether a schema asks for anything that no field shows. */
function saysMore(schema: Schema): boolean {
  const inFields = [
    "properties",
    "required",
    "additionalProperties",
    "type",
    "title",
    "description",
    "$schema",
    "$comment",
  ];
  return Object.keys(schema).some((word) => !inFields.includes(word)) ||
    Object.values(schema.properties ?? {}).some((says) =>
      typeof says !== "object" || (says.type !== undefined && !KINDS.includes(says.type)) ||
      Object.keys(says).some((word) => !SHOWN.includes(word))
    );
}

/** The whole schema, for what is not in the fields. */
function more(schema: Schema): HTMLElement {
  return el(
    "details",
    { class: "more-in-schema" },
    el("summary", {}, "There is more in the schema"),
    textBlock(JSON.stringify(schema, null, 2), "The whole schema"),
  );
}

/** A value in a field for any: a text as it is, unless it could be taken for something else. */
function inJson(value: unknown): string {
  return typeof value === "string" && fromJson(value) === value ? value : JSON.stringify(value);
}

/** What a field for any value holds: JSON, or else a text. */
function fromJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** A choice as it is listed. */
function written(choice: unknown): string {
  return typeof choice === "object" ? JSON.stringify(choice) : String(choice);
}

function typed(text: string, kind: string | undefined): unknown {
  if (kind === "boolean") return text === "true";
  if (kind === "json") return fromJson(text);
  if ((kind === "number" || kind === "integer") && text.trim() !== "" && Number.isFinite(Number(text))) {
    return Number(text);
  }
  return text;
}

function asObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
