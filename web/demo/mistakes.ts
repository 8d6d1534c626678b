// What real pages get wrong, one button each: the label says what a developer believed they were doing.
import type { EventInput } from "../tracker/types.ts";

export type Mistake = { label: string; event: EventInput; times?: number };

const engagement = (event_type: string, metadata: EventInput["metadata"] = {}): EventInput => ({
  event_type,
  event_category: "engagement",
  metadata: { page_path: "/demo/", ...metadata },
});

export const MISTAKES: readonly Mistake[] = [
  {
    label: "Count a four-second view",
    event: engagement("content_view", { content_id: "good-night", duration_seconds: 4 }),
  },
  {
    label: "Put an e-mail address into metadata",
    event: engagement("feature_used", { feature_id: "profile", note: "ada@example.org" }),
  },
  { label: "Invent an event type", event: engagement("heart_tapped_twice") },
  { label: "Call a click a share", event: { ...engagement("feature_used"), event_category: "advocacy" } },
  {
    label: "Count a like as advocacy",
    event: {
      event_type: "content_share",
      event_category: "advocacy",
      metadata: { platform: "photos", share_type: "like" },
    },
  },
  {
    label: "Subscribe without consent",
    event: {
      event_type: "push_subscribe",
      event_category: "subscription",
      metadata: { channel: "push", consent_recorded: false },
    },
  },
  {
    label: "Jump from unknown to subscribed",
    event: engagement("feature_used", { feature_id: "plan", prior_state: "S0", new_state: "S3" }),
  },
  {
    label: "Pose as the system",
    event: {
      event_type: "job_completed",
      event_category: "system",
      metadata: {
        validation_rule_id: "none",
        validation_result: "accepted",
        source_system: "demo",
        job_id: "demo",
      },
    },
  },
  { label: "Fire the same event twice", event: engagement("feature_used", { feature_id: "double" }), times: 2 },
];
