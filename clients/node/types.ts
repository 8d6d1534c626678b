/** An event as its sender knows it; what is missing of `id` and `occurred_at` is added. */
export type EventInput = {
  /** A UUID. An event that brings its own brings `occurred_at` as well, so that it is the same whenever it comes again. */
  id?: string;
  session_id: string;
  event_type: string;
  event_category: string;
  event_source: string;
  /** RFC 3339; by default, when it was queued. */
  occurred_at?: string;
  user_id?: string | null;
  site_id?: string | null;
  utm_source?: string | null;
  utm_medium?: string | null;
  utm_campaign?: string | null;
  utm_content?: string | null;
  utm_term?: string | null;
  metadata?: Record<string, unknown>;
  /** Hashed here; neither the queue nor the network sees the address. */
  email?: string;
};

export type Violation = { rule_id: string; path: string };

/** What became of one event. */
export type Verdict = {
  id: string;
  /** `undeliverable`: the function can take it in no request, or its file is damaged. It is gone from the queue. */
  status: "accepted" | "rejected" | "undeliverable";
  /** Whether an earlier request had recorded it. */
  replayed: boolean;
  /** The first rule that it violates, if it was rejected. */
  rule_id: string | null;
  reason: string;
  violations: readonly Violation[];
};

/** What a `flush` did, and what is left to do. */
export type Report = {
  accepted: number;
  replayed: number;
  rejected: number;
  undeliverable: number;
  /** Events that are still queued. */
  queued: number;
  /** Seconds until the next attempt makes sense; 0 if nobody has to wait. */
  wait: number;
};

export type Options = {
  /** The folder of the queue; only one application uses it, by as many processes as it likes. */
  queue: string;
  /** The address of the function; by default, `AUDIENCE_GATE_URL`. */
  url?: string;
  /** The most events that wait; 10,000 by default. */
  maxEvents?: number;
  /**
   * Is told every verdict before the event leaves the queue, so that none is lost; after a crash it may be told again.
   * By default, what was not accepted is written to standard error.
   */
  onVerdict?: (verdict: Verdict) => void | Promise<void>;
};
