/** Contender: Zod 4, schemas compiled to functions. */
import * as z from "zod";
import { metadataShape, type Property } from "./metadata.ts";
import { contender } from "./rows.ts";
import { CATEGORIES, INK, judgeByShape, type Shape, UUID } from "./shape.ts";
import type { PayloadSchema } from "./types.ts";

const uuid = z.string().regex(UUID);
const utm = z.string().max(256).nullable().optional();

const event = z.compile(z.strictObject({
  id: uuid.optional(),
  occurred_at: z.string().optional(),
  user_id: uuid.nullable().optional(),
  session_id: z.string().min(8).max(128).regex(INK),
  event_type: z.string().min(3).max(64),
  event_category: z.enum(CATEGORIES),
  event_source: z.string().max(64).regex(INK),
  utm_source: utm,
  utm_medium: utm,
  utm_campaign: utm,
  utm_content: utm,
  utm_term: utm,
  site_id: uuid.optional(),
  metadata: z.looseObject({}),
  email: z.string().optional(),
}));

function metadata(type: string, category: string, payload: PayloadSchema | null): Shape {
  const { properties, required, oneOf } = metadataShape(type, category, payload);
  let schema: z.ZodType = z.looseObject(
    Object.fromEntries(
      Object.entries(properties).map(([key, value]) => {
        const schema = property(value);
        return [key, required.includes(key) ? schema : schema.optional()];
      }),
    ),
  );
  for (const choices of oneOf) {
    schema = schema.refine((value) =>
      choices.some(({ key, minimum }) => {
        const member = (value as Record<string, unknown>)[key];
        return minimum === undefined ? member !== undefined : (member as number) >= minimum;
      })
    );
  }
  const compiled = z.compile(schema);
  return (value) => compiled.safeParse(value).success;
}

function property({ type, enum: values, minimum, maximum, minLength, maxLength, ink }: Property): z.ZodType {
  if (values) return z.literal(values as (string | number | boolean)[]);
  if (type === "string") {
    let text = z.string();
    if (minLength !== undefined) text = text.min(minLength);
    if (maxLength !== undefined) text = text.max(maxLength);
    return ink ? text.regex(INK) : text;
  }
  if (type === "number" || type === "integer") {
    let number = type === "integer" ? z.int() : z.number();
    if (minimum !== undefined) number = number.min(minimum);
    if (maximum !== undefined) number = number.max(maximum);
    return number;
  }
  return type === "boolean" ? z.boolean() : type === "array" ? z.array(z.unknown()) : z.looseObject({});
}

export default contender(judgeByShape({ event: (value) => event.safeParse(value).success, metadata }));
