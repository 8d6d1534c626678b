/** The shapes as JSON Schema, for the contenders that compile it. */
import { type MetadataShape, metadataShape, type Property } from "./metadata.ts";
import { CATEGORIES, INK, UUID } from "./shape.ts";
import type { PayloadSchema } from "./types.ts";

const uuid = { type: "string", pattern: UUID.source };
const utm = { type: ["string", "null"], maxLength: 256 };

export const eventSchema = {
  type: "object",
  additionalProperties: false,
  required: ["session_id", "event_type", "event_category", "event_source", "metadata"],
  properties: {
    id: uuid,
    occurred_at: { type: "string" },
    user_id: { anyOf: [{ type: "null" }, uuid] },
    session_id: { type: "string", minLength: 8, maxLength: 128, pattern: INK.source },
    event_type: { type: "string", minLength: 3, maxLength: 64 },
    event_category: { enum: [...CATEGORIES] },
    event_source: { type: "string", maxLength: 64, pattern: INK.source },
    utm_source: utm,
    utm_medium: utm,
    utm_campaign: utm,
    utm_content: utm,
    utm_term: utm,
    site_id: uuid,
    metadata: { type: "object" },
    email: { type: "string" },
  },
};

export function metadataSchema(type: string, category: string, payload: PayloadSchema | null): Record<string, unknown> {
  const { properties, required, oneOf } = metadataShape(type, category, payload);
  return {
    type: "object",
    required,
    properties: Object.fromEntries(
      Object.entries(properties).map(([key, property]) => [key, propertySchema(property)]),
    ),
    ...(oneOf.length > 0 && { allOf: oneOf.map(everyChoice) }),
  };
}

const everyChoice = (choices: MetadataShape["oneOf"][number]) => ({
  anyOf: choices.map(({ key, minimum }) => ({
    required: [key],
    ...(minimum !== undefined && { properties: { [key]: { minimum } } }),
  })),
});

function propertySchema({ ink, ...property }: Property): Record<string, unknown> {
  return ink ? { ...property, pattern: INK.source } : property;
}
