/** What the metadata of one event type has to look like: the category's keys joined with the payload schema's. */
import type { PayloadProperty, PayloadSchema } from "./types.ts";

/** A property; `ink` if it has to hold something other than white space. */
export type Property = PayloadProperty & { ink?: boolean };

export type MetadataShape = {
  properties: Record<string, Property>;
  required: string[];
  /** At least one of these keys is there and, if it has a minimum, reaches it. */
  oneOf: { key: string; minimum?: number }[][];
};

const TEXT: Property = { type: "string", ink: true };
const OF_CATEGORY: Record<string, Record<string, Property>> = {
  subscription: { channel: TEXT, consent_recorded: { enum: [true] } },
  advocacy: { platform: TEXT, share_type: TEXT },
  retention: { prior_state: TEXT, new_state: TEXT, inactivity_days: { type: "number", minimum: 0 }, rule_id: TEXT },
  attribution: { landing_page: TEXT },
};
const ENGAGEMENT: Record<string, Property> = {
  content_id: TEXT,
  page_path: TEXT,
  duration_seconds: { type: "number", minimum: 0 },
  scroll_depth_percent: { type: "number", minimum: 0, maximum: 100 },
};

export function metadataShape(type: string, category: string, payload: PayloadSchema | null): MetadataShape {
  const needed = { ...OF_CATEGORY[category] };
  if (type === "referral_click") needed.outbound_target = TEXT;
  const shape: MetadataShape = {
    properties: { ...payload?.properties },
    required: [...new Set([...(payload?.required ?? []), ...Object.keys(needed)])],
    oneOf: [],
  };
  const own = category === "engagement" ? ENGAGEMENT : needed;
  for (const key in own) shape.properties[key] = { ...shape.properties[key], ...own[key] };
  if (type === "email_subscribe") shape.properties.email_hash = { type: "string", minLength: 64, maxLength: 64 };
  if (category === "engagement") shape.oneOf.push([{ key: "content_id" }, { key: "page_path" }]);
  if (type === "content_view") {
    shape.oneOf.push([{ key: "duration_seconds", minimum: 20 }, { key: "scroll_depth_percent", minimum: 30 }]);
  }
  return shape;
}
