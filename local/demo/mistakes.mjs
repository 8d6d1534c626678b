/**
 * What real senders get wrong, so that the demo has something to show about data quality. The contract refuses every one
 * of these; the ids say by which rule.
 *
 * @type {readonly { rule: string, weight: number, draft: import("./people.mjs").Draft }[]}
 */
export const MISTAKES = [
  {
    rule: "engagement.content_view_threshold",
    weight: 8,
    draft: {
      event_type: "content_view",
      event_category: "engagement",
      metadata: { content_id: "gut-health", duration_seconds: 4 },
    },
  },
  {
    rule: "subscription.consent",
    weight: 3,
    draft: {
      event_type: "push_subscribe",
      event_category: "subscription",
      metadata: { channel: "web", consent_recorded: false },
    },
  },
  {
    rule: "attribution.utm_complete",
    weight: 4,
    draft: {
      event_type: "campaign_landing",
      event_category: "attribution",
      metadata: { landing_page: "/welcome" },
      utm_campaign: "autumn-reset",
    },
  },
  {
    rule: "privacy.raw_email",
    weight: 3,
    draft: {
      event_type: "feature_used",
      event_category: "engagement",
      metadata: { feature_id: "journal", page_path: "/app", note: "asked by someone@example.test" },
    },
  },
  {
    rule: "privacy.personal_key",
    weight: 2,
    draft: {
      event_type: "tool_used",
      event_category: "engagement",
      metadata: { tool_id: "sleep-diary", page_path: "/app", first_name: "Robin" },
    },
  },
  {
    rule: "advocacy.not_like",
    weight: 2,
    draft: {
      event_type: "content_share",
      event_category: "advocacy",
      metadata: { platform: "mastodon", share_type: "like", content_id: "first-5k" },
    },
  },
  {
    rule: "registry.event_type",
    weight: 4,
    draft: { event_type: "button_clicked", event_category: "engagement", metadata: { page_path: "/pricing" } },
  },
  {
    rule: "registry.payload",
    weight: 3,
    draft: {
      event_type: "page_performance",
      event_category: "engagement",
      metadata: { page_path: "/", load_ms: "fast" },
    },
  },
];
