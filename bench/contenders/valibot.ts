/** Contender: Valibot. */
import * as v from "valibot";
import { metadataShape, type Property } from "./metadata.ts";
import { contender } from "./rows.ts";
import { CATEGORIES, INK, judgeByShape, type Shape, UUID } from "./shape.ts";
import type { PayloadSchema } from "./types.ts";

type Schema = v.GenericSchema;

const uuid = v.pipe(v.string(), v.regex(UUID));
const utm = v.nullish(v.pipe(v.string(), v.maxLength(256)));

const event = v.strictObject({
  id: v.optional(uuid),
  occurred_at: v.optional(v.string()),
  user_id: v.nullish(uuid),
  session_id: v.pipe(v.string(), v.minLength(8), v.maxLength(128), v.regex(INK)),
  event_type: v.pipe(v.string(), v.minLength(3), v.maxLength(64)),
  event_category: v.picklist(CATEGORIES),
  event_source: v.pipe(v.string(), v.maxLength(64), v.regex(INK)),
  utm_source: utm,
  utm_medium: utm,
  utm_campaign: utm,
  utm_content: utm,
  utm_term: utm,
  site_id: v.optional(uuid),
  metadata: v.looseObject({}),
  email: v.optional(v.string()),
});

function metadata(type: string, category: string, payload: PayloadSchema | null): Shape {
  const { properties, required, oneOf } = metadataShape(type, category, payload);
  const object = v.looseObject(
    Object.fromEntries(
      Object.entries(properties).map(([key, value]) => {
        const schema = property(value);
        return [key, required.includes(key) ? schema : v.optional(schema)];
      }),
    ),
  );
  const schema = oneOf.reduce<Schema>(
    (schema, choices) =>
      v.pipe(
        schema,
        v.check((value) =>
          choices.some(({ key, minimum }) => {
            const member = (value as Record<string, unknown>)[key];
            return minimum === undefined ? member !== undefined : (member as number) >= minimum;
          })
        ),
      ),
    object,
  );
  return (value) => v.is(schema, value);
}

function property({ type, enum: values, minimum, maximum, minLength, maxLength, ink }: Property): Schema {
  if (values) return v.picklist(values as string[]);
  if (type === "string") {
    return v.pipe(
      v.string(),
      v.minLength<string, number>(minLength ?? 0),
      v.maxLength<string, number>(maxLength ?? Infinity),
      ...(ink ? [v.regex(INK)] : []),
    );
  }
  if (type === "number" || type === "integer") {
    return v.pipe(
      v.number(),
      ...(type === "integer" ? [v.integer()] : []),
      v.minValue<number, number>(minimum ?? -Infinity),
      v.maxValue<number, number>(maximum ?? Infinity),
    );
  }
  return type === "boolean" ? v.boolean() : type === "array" ? v.array(v.unknown()) : v.looseObject({});
}

export default contender(judgeByShape({ event: (value) => v.is(event, value), metadata }));
