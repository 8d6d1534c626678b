/** The one file of the playground that knows how the contract's WebAssembly is loaded. */
import init, * as wasm from "../../pkg/audience_gate.js";
import type { Registry } from "../../pkg/audience_gate.js";
import registry from "virtual:default-registry";

export type Gate = Pick<typeof wasm, "check" | "judge" | "hashEmail" | "redact" | "contract">;
export type Rule = ReturnType<Gate["contract"]>["rules"][number];
export type { Caller, Registry } from "../../pkg/audience_gate.js";

/** Made ready once per page: with the default taxonomy at once, and with this server's own if it answers. */
export async function openGate(): Promise<{ gate: Gate; registry: Registry; source: "server" | "shipped" }> {
  const [, own] = await Promise.all([init(), ownRegistry()]);
  const text = own ?? JSON.stringify(registry);
  wasm.loadRegistry(text);
  return { gate: wasm, registry: JSON.parse(text) as Registry, source: own ? "server" : "shipped" };
}

/** The registry of the gate that serves this page; undefined if the page is hosted on its own. */
async function ownRegistry(): Promise<string | undefined> {
  try {
    const response = await fetch(new URL("/functions/v1/ingest/registry", location.origin), {
      signal: AbortSignal.timeout(1500),
    });
    if (!response.ok || !response.headers.get("content-type")?.includes("json")) return undefined;
    const answer: unknown = await response.json();
    if (typeof answer !== "object" || answer === null || !("event_types" in answer)) return undefined;
    // Which origins a site accepts is not public, so here every origin passes for the default site.
    const site = "default_site" in answer ? answer.default_site : undefined;
    return JSON.stringify({ ...answer, sites: [{ id: site, origins: null }] });
  } catch {
    return undefined;
  }
}
