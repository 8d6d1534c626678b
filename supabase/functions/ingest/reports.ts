/** What the function says about itself: `GET /contract`, `/registry`, `/checkpoint`, `/health`. Nothing in them is secret. */

import type { Gate } from "./gate.ts";
import type { Line } from "./log.ts";
import type { Registry, RegistryCopy } from "./registry.ts";
import { Refusal } from "./refusal.ts";
import type { Checkpoint, Store } from "./store.ts";
import { asking } from "./store.ts";

/** How long an answer of the store is believed, a failure too. */
const HEALTH_MS = 5000;
/** How long a checkpoint is: one is signed every hour or day. */
const CHECKPOINT_MS = 60_000;

export type ReportPath = "/contract" | "/registry" | "/checkpoint" | "/health";

export type Report = (
  path: ReportPath,
  request: Request,
  line: Line,
) => Promise<Response>;

export function createReports(
  gate: Gate,
  registry: RegistryCopy,
  store: Pick<Store, "checkpoint">,
  clock: () => number,
): Report {
  const contract = gate.contract();
  /** What the store last said of its health, and until when that is believed. */
  let asked: { until: number; answer: Promise<number> } | undefined;
  let signed: { until: number; answer: Promise<Checkpoint | null> } | undefined;

  return async (path, request, line) => {
    if (path === "/health") return await health(line);
    if (path === "/checkpoint") {
      const checkpoint = await asking(askCheckpoint, line);
      if (checkpoint === null) throw unsigned();
      return cacheable(request, checkpoint.note, String(checkpoint.size), 60, "text/plain; charset=utf-8");
    }

    registry.refresh();
    if (path === "/contract") return await effective(request);
    if (registry.current === null) await asking(() => registry.load(), line);
    return cacheable(request, JSON.stringify(shown(registry.loaded)), registry.loaded.version, 60);
  };

  /** The contract with the rules of the install's own. Without a store it is told all the same, and what is missing is null. */
  async function effective(request: Request): Promise<Response> {
    if (registry.current === null) await registry.load().catch(() => undefined);
    const known = registry.current;
    const { version = null, own_rules = null } = known === null ? {} : shown(known);
    const body = JSON.stringify({ ...contract, registry: version, own_rules });
    return cacheable(request, body, `${contract.fingerprint} ${version}`, 60);
  }

  /** How long the store took. Anybody may ask without a key, so the store is asked once in a while, however often they do. */
  function askStore(): Promise<number> {
    const now = clock();
    if (asked === undefined || now >= asked.until) {
      asked = { until: now + HEALTH_MS, answer: registry.load().then(() => clock() - now) };
    }
    return asked.answer;
  }

  /** The newest checkpoint. Anybody may ask for it, too. */
  function askCheckpoint(): Promise<Checkpoint | null> {
    const now = clock();
    if (signed === undefined || now >= signed.until) {
      const asking = { until: now + HEALTH_MS, answer: store.checkpoint() };
      asking.answer.then(() => asking.until = now + CHECKPOINT_MS, () => {});
      signed = asking;
    }
    return signed.answer;
  }

  async function health(line: Line): Promise<Response> {
    const storeMs = await asking(askStore, line);
    const { version, fingerprint } = contract;
    return Response.json({
      status: "ok",
      contract: { version, fingerprint },
      registry: registry.loaded.version,
      registry_fit: registry.isFit,
      store_ms: storeMs,
    });
  }
}

/** What is public: neither an install's sites and their origins, nor a rule of one site or one that refuses nothing. */
function shown({ sites: _, own_rules, ...shown }: Registry) {
  return {
    ...shown,
    own_rules: own_rules?.filter(({ mode, site_id }) => mode === "enforce" && site_id === null) ?? [],
  };
}

function cacheable(
  request: Request,
  body: string,
  version: string,
  seconds: number,
  type = "application/json",
): Response {
  const etag = `"${encodeURIComponent(version)}"`;
  const headers = {
    ETag: etag,
    "Cache-Control": `public, max-age=${seconds}`,
    "Content-Type": type,
  };
  const known = request.headers.get("if-none-match")?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
  return known ? new Response(null, { status: 304, headers }) : new Response(body, { headers });
}

function unsigned(): Refusal {
  return new Refusal(
    "not_found",
    "no checkpoint was signed",
    "nothing is sealed before audience_gate.start_sealing(), and nothing is signed before `audience-gate seal sign`",
  );
}
