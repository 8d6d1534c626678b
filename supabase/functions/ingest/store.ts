/** The store, reached through PostgREST and by this module alone. */

import type { Delivery, Outcome, Settled } from "./alerts.ts";
import type { Bytes } from "./gate.ts";
import type { Line } from "./log.ts";
import type { RefusedCount } from "./refused.ts";
import { Refusal } from "./refusal.ts";
import type { Sign } from "./sign.ts";

export interface Store {
  /** Sends one judged batch; `argument` is the finished body of the call. */
  ingest(argument: Bytes): Promise<StoreAnswer>;
  /** Sends what pages report; `argument` is the finished body of the call. */
  report(argument: string): Promise<ReportAnswer>;
  /** The registry snapshot, as JSON text. */
  registry(): Promise<string>;
  /** The checkpoint that was signed last; null before the first. */
  checkpoint(): Promise<Checkpoint | null>;
  /** Adds to the counts of requests that were refused whole. */
  countRefused(counts: readonly RefusedCount[]): Promise<void>;
  /** Messages of alerts that are due, of the sites that a user owns, or of all; no other caller gets them for a minute. */
  claimAlerts(user: string | null): Promise<readonly Delivery[]>;
  /** Records what came of them. */
  settleAlerts(outcomes: readonly Outcome[]): Promise<Settled>;
  /** Has every destination told that this is a test. */
  testAlerts(): Promise<void>;
}

/** What `public.audience_checkpoint` returns: a signed note, and how many rows it covers. */
export interface Checkpoint {
  readonly size: number;
  readonly note: string;
}

/** What `public.ingest_audience_events` and its signed form return. */
export interface StoreAnswer {
  readonly recorded: boolean;
  /** Why nothing was recorded, in words of the database's own. What the request cost is charged all the same. */
  readonly failed?: string;
  /** Indexes of events whose id was recorded by an earlier request. */
  readonly replayed?: readonly number[];
  /** Refused by the store on top of what the gate refused. */
  readonly rejected?: readonly StoreRejection[];
  readonly rate?: RateState | null;
  readonly limited?: Limited;
}

/** A limit was reached: whose, and in how many seconds the same may be sent. */
export interface Limited {
  readonly retry_after: number;
  readonly scope?: string;
}

/** What `public.audience_report_rejections` returns. */
export interface ReportAnswer extends Pick<StoreAnswer, "failed" | "rate" | "limited"> {
  /** Indexes of the reports that it took. */
  readonly reported?: readonly number[];
}

export interface StoreRejection {
  readonly index: number;
  readonly rule_id: string;
  readonly reason: string;
  readonly violations: readonly Violation[];
}

/** A violated rule, and where: a JSON pointer into the event. */
export interface Violation {
  readonly rule_id: string;
  readonly path: string;
}

export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  readonly reset: number;
}

/** Why the store gave no answer, in words that are safe to log. */
export class StoreFailure extends Error {}

export interface StoreOptions {
  readonly url: string;
  readonly key: string;
  readonly timeoutMs: number;
  /** Null: batches go unsigned, and the database judges them again. */
  readonly sign: Sign | null;
}

/** What `audience_gate.most_unproven_bytes()` says. */
const UNSIGNED_BYTES = 131_072;

export function createStore({ url, key, timeoutMs, sign }: StoreOptions): Store {
  const headers = {
    apikey: key,
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    // A project may show other schemas, too, and the first of them would be asked.
    "content-profile": "public",
  };

  async function rpc(name: string, body: BodyInit, { again = true } = {}): Promise<Response> {
    const signal = AbortSignal.timeout(timeoutMs);
    const call = () =>
      fetch(`${url}/rest/v1/rpc/${name}`, {
        method: "POST",
        headers,
        body,
        signal,
      });
    const response = await call().catch((error) => {
      if (signal.aborted || !again) throw error;
      // A kept-alive connection that the store closed meanwhile: the call is idempotent, so it may be made again.
      return call();
    });
    if (response.ok) return response;
    throw new StoreFailure(await refusalCode(response));
  }

  async function guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StoreFailure) throw error;
      // Messages of network errors hold addresses: only the kind of failure is told.
      const kind = error instanceof Error ? error.name : "unknown";
      throw new StoreFailure(
        kind === "TimeoutError" ? `no answer within ${timeoutMs} ms` : `connection failed: ${kind}`,
      );
    }
  }

  async function send(argument: Bytes): Promise<Response> {
    if (sign === null) return await rpc("ingest_audience_events", argument);
    const signature = await sign(argument);
    // As a text, so that the database sees the very bytes that are signed.
    const body = new TextDecoder().decode(argument);
    return await rpc("ingest_audience_events_signed", JSON.stringify({ body, signature }));
  }

  return {
    ingest: (argument) => {
      if (sign === null && argument.byteLength > UNSIGNED_BYTES) throw tooLargeUnsigned();
      return guarded(async () => storeAnswer(await (await send(argument)).json()));
    },
    report: (argument) =>
      guarded(async () => {
        const answer: ReportAnswer = await (await rpc("audience_report_rejections", argument)).json();
        if (answer.failed !== undefined) throw new StoreFailure(`not recorded: ${answer.failed}`);
        if (Array.isArray(answer.reported) || answer.limited) return answer;
        throw new StoreFailure("the answer is not one of audience_report_rejections");
      }),
    registry: () => guarded(async () => await (await rpc("audience_registry", "{}")).text()),
    checkpoint: () => guarded(async () => checkpointOf(await (await rpc("audience_checkpoint", "{}")).json())),
    countRefused: (counts) =>
      guarded(async () => {
        const response = await rpc("audience_count_refused", JSON.stringify({ counts }), { again: false });
        await response.body?.cancel();
      }),
    // A claim is not made again: the first call may have claimed what the second would not get.
    claimAlerts: (user) =>
      guarded(async () => {
        const body = JSON.stringify(user === null ? {} : { for_user: user });
        const claimed: unknown = await (await rpc("audience_claim_alert_deliveries", body, { again: false })).json();
        if (Array.isArray(claimed)) return claimed;
        throw new StoreFailure("the answer is not one of audience_claim_alert_deliveries");
      }),
    settleAlerts: (outcomes) =>
      guarded(async () => await (await rpc("audience_settle_alert_deliveries", JSON.stringify({ outcomes }))).json()),
    testAlerts: () =>
      guarded(async () => {
        await (await rpc("audience_test_alerts", "{}", { again: false })).body?.cancel();
      }),
  };
}

/** Asks the store on behalf of a request: a failure is logged with the request, and the caller is told to come back. */
export async function asking<T>(ask: () => Promise<T>, line: Line): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error;
    line.failure = error.message;
    throw unavailable();
  }
}

function unavailable(): Refusal {
  return new Refusal(
    "store_unavailable",
    "the store did not confirm this request in time",
    "send it again with the same event ids: what was recorded meanwhile is answered as replayed",
    { "Retry-After": "2" },
  );
}

function tooLargeUnsigned(): Refusal {
  return new Refusal(
    "body_too_large",
    "the events are more than the database judges again at once",
    "send fewer in one request; nothing was recorded",
  );
}

function storeAnswer(value: unknown): StoreAnswer {
  if (typeof value === "object" && value !== null && "recorded" in value) {
    const answer = value as StoreAnswer;
    if (answer.failed !== undefined) throw new StoreFailure(`not recorded: ${answer.failed}`);
    return answer;
  }
  throw new StoreFailure("the answer is not one of ingest_audience_events");
}

function checkpointOf(value: unknown): Checkpoint | null {
  if (value === null) return null;
  const { size, note } = Object(value) as Record<string, unknown>;
  if (Number.isSafeInteger(size) && typeof note === "string") return { size: Number(size), note };
  throw new StoreFailure("the answer is not a checkpoint");
}

/** PostgREST's error code, never its message: that may quote a value. */
async function refusalCode(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => null);
  const code = typeof body === "object" && body !== null && "code" in body ? String(body.code) : "";
  return /^[A-Z0-9]{3,8}$/.test(code) ? `http ${response.status}, ${code}` : `http ${response.status}`;
}
