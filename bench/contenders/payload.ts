/** The part of JSON Schema that the shipped payload schemas are written in, checked by plain code. */
import type { Json, Members, PayloadProperty, PayloadSchema } from "./types.ts";

export function payloadHolds(schema: PayloadSchema, metadata: Members): boolean {
  for (const key of schema.required) {
    const value = metadata[key];
    if (value === undefined || value === null || (typeof value === "string" && !/[^\t\n\f\r ]/.test(value))) {
      return false;
    }
  }
  const { properties } = schema;
  for (const key in properties) {
    const value = metadata[key];
    if (value !== undefined && value !== null && !propertyHolds(properties[key], value)) return false;
  }
  if (schema.additionalProperties === false) {
    for (const key in metadata) {
      if (!(key in properties) && !schema.required.includes(key) && !ownHolds(key, metadata[key])) return false;
    }
  }
  return true;
}

/** What the tracker and the gate themselves add to an event: a closed schema takes it too. */
const OWN = /^(?:tracker|automated|tracking_consent(?:_at|_version)?|email_hash(?:_kind)?)$/;

function ownHolds(key: string, value: Json): boolean {
  return OWN.test(key) && (value === null || propertyHolds({ type: "string", maxLength: 128 }, value));
}

function propertyHolds(property: PayloadProperty, value: Json): boolean {
  switch (property.type) {
    case "string":
      if (typeof value !== "string") return false;
      break;
    case "number":
      if (typeof value !== "number") return false;
      break;
    case "integer":
      if (!Number.isInteger(value)) return false;
      break;
    case "boolean":
      if (typeof value !== "boolean") return false;
      break;
    case "array":
      if (!Array.isArray(value)) return false;
      break;
    case "object":
      if (typeof value !== "object" || Array.isArray(value)) return false;
      break;
  }
  if (property.enum && !property.enum.includes(value)) return false;
  if (typeof value === "number") {
    return (property.minimum === undefined || value >= property.minimum) &&
      (property.maximum === undefined || value <= property.maximum);
  }
  if (typeof value === "string") {
    return (property.minLength === undefined || codePoints(value) >= property.minLength) &&
      (property.maxLength === undefined || value.length <= property.maxLength ||
        codePoints(value) <= property.maxLength);
  }
  return true;
}

/** The length that the contract measures; `length` counts UTF-16 units. */
export function codePoints(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    if ((text.charCodeAt(at) & 0xfc00) === 0xd800) count--;
  }
  return count;
}
