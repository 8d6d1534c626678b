/** Events to start from: an accepted one for each category, and the most common mistakes. */

export interface Example {
  readonly name: string;
  readonly passes: boolean;
  readonly trusted?: true;
  readonly event: object;
}

const base = { session_id: "visit-7f3a9c21", event_source: "web" };

export const EXAMPLES: readonly Example[] = [
  {
    name: "Engagement",
    passes: true,
    event: {
      ...base,
      event_type: "content_view",
      event_category: "engagement",
      metadata: {
        content_id: "guide-breathing-basics",
        page_path: "/guides/breathing",
        duration_seconds: 48,
        scroll_depth_percent: 72,
      },
    },
  },
  {
    name: "Subscription",
    passes: true,
    event: {
      ...base,
      event_type: "email_subscribe",
      event_category: "subscription",
      email: "ada@example.com",
      metadata: { channel: "newsletter", consent_recorded: true, form_id: "footer" },
    },
  },
  {
    name: "Advocacy",
    passes: true,
    event: {
      ...base,
      event_type: "referral_click",
      event_category: "advocacy",
      metadata: { platform: "mastodon", share_type: "link", outbound_target: "https://example.com/guide" },
    },
  },
  {
    name: "Retention",
    passes: true,
    trusted: true,
    event: {
      ...base,
      event_type: "inactivity_detected",
      event_category: "retention",
      event_source: "job",
      metadata: { prior_state: "S2", new_state: "S1", inactivity_days: 14, rule_id: "inactivity_14d" },
    },
  },
  {
    name: "Attribution",
    passes: true,
    event: {
      ...base,
      event_type: "campaign_landing",
      event_category: "attribution",
      utm_source: "news",
      utm_medium: "email",
      utm_campaign: "spring-2026",
      metadata: { landing_page: "/start" },
    },
  },
  {
    name: "System",
    passes: true,
    trusted: true,
    event: {
      ...base,
      event_type: "server_performance",
      event_category: "system",
      event_source: "backend",
      metadata: {
        validation_rule_id: "none",
        validation_result: "accepted",
        source_system: "api",
        load_ms: 84,
        component: "search",
      },
    },
  },
  {
    name: "A ten-second glance",
    passes: false,
    event: {
      ...base,
      event_type: "content_view",
      event_category: "engagement",
      metadata: { content_id: "guide-breathing-basics", duration_seconds: 10, scroll_depth_percent: 12 },
    },
  },
  {
    name: "No consent",
    passes: false,
    event: {
      ...base,
      event_type: "email_subscribe",
      event_category: "subscription",
      email: "ada@example.com",
      metadata: { channel: "newsletter", consent_recorded: false },
    },
  },
  {
    name: "An address in the payload",
    passes: false,
    event: {
      ...base,
      event_type: "account_created",
      event_category: "subscription",
      metadata: { channel: "web", consent_recorded: true, method: "password", contact: "ada@example.com" },
    },
  },
  {
    name: "A like, called advocacy",
    passes: false,
    event: {
      ...base,
      event_type: "content_share",
      event_category: "advocacy",
      metadata: { platform: "photos", share_type: "like" },
    },
  },
  {
    name: "Half a campaign",
    passes: false,
    event: {
      ...base,
      event_type: "campaign_landing",
      event_category: "attribution",
      utm_campaign: "spring-2026",
      metadata: { landing_page: "/start" },
    },
  },
  {
    name: "A jump from S0 to S3",
    passes: false,
    trusted: true,
    event: {
      ...base,
      event_type: "reactivated",
      event_category: "retention",
      event_source: "job",
      metadata: { prior_state: "S0", new_state: "S3", inactivity_days: 0, rule_id: "reactivation" },
    },
  },
  {
    name: "An invented event",
    passes: false,
    event: {
      ...base,
      event_type: "clicked_the_thing",
      event_category: "engagement",
      metadata: { page_path: "/pricing" },
    },
  },
];
