/** The handler with a clock, ids and a store that the test controls; the gate is the real one. */

import { gate } from "../../supabase/functions/ingest/gate.ts";
import { createIngest, type Deps, type Handler } from "../../supabase/functions/ingest/ingest.ts";
import type { AlertsDeps } from "../../supabase/functions/ingest/alerts.ts";
import type { Tell } from "../../supabase/functions/ingest/webhook.ts";
import { badToken } from "../../supabase/functions/ingest/caller.ts";
import type { Line } from "../../supabase/functions/ingest/log.ts";
import type { RefusedCount } from "../../supabase/functions/ingest/refused.ts";
import type { Checkpoint, ReportAnswer, StoreAnswer } from "../../supabase/functions/ingest/store.ts";

export const NOW = Date.parse("2026-11-21T12:00:00Z");
export const USER = "7d9f5a4e-3c1b-4f0a-9b3e-2a6d1c8e4f50";
export const SITE = "00000000-0000-4000-8000-000000000001";
export const OWN_SITE = "11111111-1111-4111-8111-111111111111";
export const ORIGIN = "https://own.example";
export const KEYS = {
  publishable: ["sb_publishable_one"],
  secret: ["sb_secret_one"],
};
export const USER_TOKEN = "user.valid.jwt";

export const REGISTRY = {
  version: "7",
  default_site: SITE,
  states: ["S0", "S1", "S2", "S3", "S4", "S5"],
  blocked_jumps: [["S0", "S3"]],
  rules: ["inactivity_14d"],
  event_types: [
    { id: "content_view", category: "engagement", payload_schema: null },
    { id: "email_subscribe", category: "subscription", payload_schema: null },
    { id: "page_error", category: "system", payload_schema: null },
  ],
  sites: [{ id: SITE, origins: null }, { id: OWN_SITE, origins: [ORIGIN] }],
};

export interface SentBatch {
  caller: string;
  caller_id: string | null;
  origin: string | null;
  registry: string | null;
  dry_run: boolean;
  rate: { keys: { key: string; scope: string }[] } | null;
  accepted: Record<string, unknown>[];
  rejected: Record<string, unknown>[];
}

export interface Scene {
  readonly handle: Handler;
  readonly lines: Line[];
  /** What reached the store. */
  readonly batches: SentBatch[];
  readonly time: { now: number };
  /** The counts of refused requests that reached the store. */
  readonly refused: RefusedCount[];
  /** Reports that reached it, and what it answers. */
  readonly reports: Record<string, unknown>[];
  report: (batch: Record<string, unknown>) => ReportAnswer | Promise<ReportAnswer>;
  /** What the store does next; unless set, it records everything. */
  store: (batch: SentBatch) => StoreAnswer | Promise<StoreAnswer>;
  registry: () => string | Promise<string>;
  checkpoint: () => Checkpoint | null | Promise<Checkpoint | null>;
  /** Runs before counts are stored; one that throws keeps them from being stored. */
  counting: () => Promise<void>;
  /** The messages of alerts that are due, and what calling a webhook gives. */
  alerts: AlertsDeps["store"];
  tell: Tell;
  settled(): Promise<unknown>;
}

export function scene(overrides: Partial<Deps> = {}): Scene {
  const background: Promise<unknown>[] = [];
  let ids = 0;
  const inner = {
    lines: [] as Line[],
    batches: [] as SentBatch[],
    time: { now: NOW },
    refused: [] as RefusedCount[],
    store: (batch: SentBatch): StoreAnswer | Promise<StoreAnswer> => ({
      recorded: true,
      replayed: [],
      rejected: [],
      rate: batch.rate && { limit: 1200, remaining: 1199, reset: 1 },
    }),
    reports: [] as Record<string, unknown>[],
    report: ({ reports }: Record<string, unknown>): ReportAnswer | Promise<ReportAnswer> => ({
      reported: (reports as unknown[]).map((_, index) => index),
    }),
    registry: (): string | Promise<string> => JSON.stringify(REGISTRY),
    checkpoint: (): Checkpoint | null | Promise<Checkpoint | null> => null,
    counting: () => Promise.resolve(),
    alerts: {
      claimAlerts: () => Promise.resolve([]),
      settleAlerts: () => Promise.resolve({ delivered: 0, due: 0, failed: 0 }),
      testAlerts: () => Promise.resolve(),
    } as AlertsDeps["store"],
    tell: (() => Promise.resolve({ problem: null, status: 200, retry_after: null })) as Tell,
    settled: () => Promise.all(background),
  };
  const handle = createIngest({
    gate,
    store: {
      ingest: async (argument) => {
        const { batch } = JSON.parse(
          new TextDecoder("utf-8", { fatal: true }).decode(argument),
        );
        inner.batches.push(batch);
        return await inner.store(batch);
      },
      report: async (argument) => {
        const { batch } = JSON.parse(argument);
        inner.reports.push(batch);
        return await inner.report(batch);
      },
      registry: async () => await inner.registry(),
      checkpoint: async () => await inner.checkpoint(),
      claimAlerts: (user) => inner.alerts.claimAlerts(user),
      settleAlerts: (outcomes) => inner.alerts.settleAlerts(outcomes),
      testAlerts: () => inner.alerts.testAlerts(),
      countRefused: async (counts) => {
        await inner.counting();
        inner.refused.push(...counts);
      },
    },
    tell: (delivery) => inner.tell(delivery),
    verifyUser: (token) => token === USER_TOKEN ? Promise.resolve(USER) : Promise.reject(badToken()),
    keys: KEYS,
    serviceKey: "sb_secret_one",
    emailPepper: undefined,
    addressHeader: null,
    limits: { bytes: 1_048_576, events: 1000, ms: 1000 },
    clock: () => inner.time.now,
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`,
    randomBytes: (count) => new Uint8Array(count).fill(7),
    log: (line) => inner.lines.push(line),
    pause: () => Promise.resolve(),
    waitUntil: (work) => background.push(work),
    ...overrides,
  });
  return Object.assign(inner, { handle });
}

export interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly body?: BodyInit | null;
  readonly headers?: Record<string, string>;
  /** The publishable key unless set; null means none. */
  readonly apikey?: string | null;
}

export function request(
  {
    path = "/ingest",
    method = "POST",
    body = null,
    headers = {},
    apikey = KEYS.publishable[0] ?? null,
  }: Sent,
): Request {
  return new Request(`http://gate.test${path}`, {
    method,
    body,
    headers: { ...(apikey === null ? {} : { apikey }), ...headers },
  });
}

/** An event that passes, with these changes. */
export function event(
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    session_id: "session-0001",
    event_type: "content_view",
    event_category: "engagement",
    event_source: "web",
    metadata: { content_id: "a", duration_seconds: 30 },
    ...changes,
  };
}

export const json = (value: unknown): Sent => ({
  body: JSON.stringify(value),
  headers: { "content-type": "application/json" },
});

/** The answer to one request, by a handler that has its registry. */
export async function answered(
  sent: Sent,
  prepare: (scene: Scene) => void = () => {},
): Promise<
  Scene & {
    response: Response;
    text: string;
    // deno-lint-ignore no-explicit-any -- a test reads whatever JSON was answered
    body: any;
  }
> {
  const prepared = scene();
  await prepared.settled();
  prepare(prepared);
  const response = await prepared.handle(request(sent));
  const text = await response.text();
  const body = text === "" ? null : JSON.parse(text);
  return { ...prepared, response, text, body };
}
