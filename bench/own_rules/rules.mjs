/** Twenty rules of an install's own on one event type, as a team would write them, and for each what it refuses. */

/**
 * @typedef {object} OwnRule
 * @property {`own.${string}`} id
 * @property {object} schema
 * @property {object} refused what makes an event that satisfies all of the rules violate this one, member by member; undefined takes one away
 */

const metadata = (/** @type {object} */ properties) => ({ properties: { metadata: { properties } } });

/** @type {OwnRule[]} */
export const RULES = [
  {
    id: "own.campaign_is_whole",
    schema: { required: ["utm_source", "utm_medium", "utm_campaign"] },
    refused: { utm_medium: undefined },
  },
  {
    id: "own.source_is_known",
    schema: { properties: { event_source: { enum: ["web", "ios-app", "android-app"] } } },
    refused: { event_source: "kiosk" },
  },
  {
    id: "own.medium_is_known",
    schema: { properties: { utm_medium: { enum: ["email", "cpc", "referral", "social"] } } },
    refused: { utm_medium: "fax" },
  },
  {
    id: "own.campaign_is_short",
    schema: { properties: { utm_campaign: { minLength: 3, maxLength: 40 } } },
    refused: { utm_campaign: "x" },
  },
  {
    id: "own.campaign_is_no_test",
    schema: { properties: { utm_campaign: { not: { enum: ["test", "todo", "default"] } } } },
    refused: { utm_campaign: "todo" },
  },
  {
    id: "own.campaign_names_source",
    schema: { dependentRequired: { utm_campaign: ["utm_source"] } },
    refused: { utm_source: undefined },
  },
  {
    id: "own.session_is_long",
    schema: { properties: { session_id: { type: "string", minLength: 16, maxLength: 64 } } },
    refused: { session_id: "session-0001" },
  },
  {
    id: "own.view_says_where",
    schema: { properties: { metadata: { required: ["page_path", "device_class", "referrer_kind"] } } },
    refused: { metadata: { device_class: undefined } },
  },
  {
    id: "own.path_is_clean",
    schema: metadata({ page_path: { type: "string", pattern: "^/[a-z0-9/-]*$" } }),
    refused: { metadata: { page_path: "/guides?page=2" } },
  },
  {
    id: "own.path_is_short",
    schema: metadata({ page_path: { maxLength: 120 } }),
    refused: { metadata: { page_path: `/${"a".repeat(120)}` } },
  },
  {
    id: "own.referrer_is_known",
    schema: metadata({ referrer_kind: { enum: ["direct", "search", "social", "referral"] } }),
    refused: { metadata: { referrer_kind: "other" } },
  },
  {
    id: "own.device_is_known",
    schema: metadata({ device_class: { type: "string", enum: ["desktop", "mobile", "tablet"] } }),
    refused: { metadata: { device_class: "watch" } },
  },
  {
    id: "own.search_has_a_source",
    schema: {
      if: metadata({ referrer_kind: { const: "search" } }),
      then: { required: ["utm_source"] },
    },
    refused: { metadata: { referrer_kind: "search" }, utm_source: undefined },
  },
  {
    id: "own.web_says_its_viewport",
    schema: {
      if: { properties: { event_source: { const: "web" } } },
      then: { properties: { metadata: { required: ["viewport"] } } },
    },
    refused: { event_source: "web", metadata: { viewport: undefined } },
  },
  {
    id: "own.viewport_is_whole",
    schema: metadata({ viewport: { type: "object", required: ["width", "height"] } }),
    refused: { metadata: { viewport: { width: 390 } } },
  },
  {
    id: "own.viewport_is_wide",
    schema: metadata({ viewport: { properties: { width: { type: "integer", minimum: 200, maximum: 10_000 } } } }),
    refused: { metadata: { viewport: { width: 100, height: 844 } } },
  },
  {
    id: "own.viewport_is_high",
    schema: metadata({ viewport: { properties: { height: { minimum: 200, exclusiveMaximum: 10_000 } } } }),
    refused: { metadata: { viewport: { width: 390, height: 10_000 } } },
  },
  {
    id: "own.labels_are_few",
    schema: metadata({ labels: { type: "array", minItems: 1, maxItems: 10 } }),
    refused: { metadata: { labels: [] } },
  },
  {
    id: "own.labels_are_short",
    schema: metadata({ labels: { items: { type: "string", maxLength: 30 } } }),
    refused: { metadata: { labels: ["guide", 7] } },
  },
  {
    id: "own.view_has_no_outcome",
    schema: { properties: { metadata: { not: { required: ["outcome"] } } } },
    refused: { metadata: { outcome: "completed" } },
  },
];

/** The rules as rows of an event type, which refuse. @param {string} eventType */
export const rowsOf = (eventType) =>
  RULES.map(({ id, schema }) => ({
    id,
    category: null,
    event_type: eventType,
    site_id: null,
    schema,
    mode: /** @type {const} */ ("enforce"),
    reasons: { en: "send it right" },
  }));

/** An event that violates a rule. @param {Record<string, any>} event @param {OwnRule} rule */
export const refusedBy = (event, { refused }) => {
  const { metadata = {}, ...fields } = /** @type {Record<string, any>} */ (refused);
  return { ...event, ...fields, metadata: { ...event["metadata"], ...metadata } };
};
