/** Contender: ArkType 2. */
import { type Type, type } from "arktype";
import { metadataShape, type Property } from "./metadata.ts";
import { contender } from "./rows.ts";
import { CATEGORIES, INK, judgeByShape, type Shape, UUID } from "./shape.ts";
import type { PayloadSchema } from "./types.ts";

const uuid = type(UUID);
const utm = type("string <= 256 | null");

const event = type({
  "+": "reject",
  "id?": uuid,
  "occurred_at?": "string",
  "user_id?": uuid.or("null"),
  session_id: type("8 <= string <= 128").and(INK),
  event_type: "3 <= string <= 64",
  event_category: type.enumerated(...CATEGORIES),
  event_source: type("string <= 64").and(INK),
  "utm_source?": utm,
  "utm_medium?": utm,
  "utm_campaign?": utm,
  "utm_content?": utm,
  "utm_term?": utm,
  "site_id?": uuid,
  metadata: "object",
  "email?": "string",
});

function metadata(name: string, category: string, payload: PayloadSchema | null): Shape {
  const { properties, required, oneOf } = metadataShape(name, category, payload);
  const object = type.raw(
    Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [required.includes(key) ? key : `${key}?`, property(value)]),
    ),
  ) as Type<object>;
  const schema = oneOf.reduce((schema, choices) =>
    schema.narrow((value) =>
      choices.some(({ key, minimum }) => {
        const member = (value as Record<string, unknown>)[key];
        return minimum === undefined ? member !== undefined : (member as number) >= minimum;
      })
    ) as Type<object>, object);
  return (value) => schema.allows(value);
}

function property({ type: name, enum: values, minimum, maximum, minLength, maxLength, ink }: Property): unknown {
  if (values) return type.enumerated(...values);
  if (name === "string") {
    const text = type("string").atLeastLength(minLength ?? 0).atMostLength(maxLength ?? 1e9);
    return ink ? text.and(INK) : text;
  }
  if (name === "number" || name === "integer") {
    let number = type(name === "integer" ? "number.integer" : "number") as Type<number>;
    if (minimum !== undefined) number = number.atLeast(minimum) as Type<number>;
    if (maximum !== undefined) number = number.atMost(maximum) as Type<number>;
    return number;
  }
  return name === "boolean" ? type("boolean") : name === "array" ? type("unknown[]") : type("object");
}

export default contender(judgeByShape({ event: (value) => event.allows(value), metadata }));
