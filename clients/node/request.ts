// One request and what its answer means.
import { outcomeOf, retryAfter } from "../../web/tracker/retry.ts";
import { Misconfigured } from "./errors.ts";
import type { Violation } from "./types.ts";

export type Result = {
  index: number;
  id?: string | null;
  status: string;
  replayed?: boolean;
  rule_id?: string;
  reason?: string;
  violations?: Violation[];
};

export type Answer = {
  /** 0 if there was none. */
  status: number;
  results?: Result[];
  error?: { code?: string; message?: string; hint?: string };
  /** Milliseconds that the server asks to wait. */
  wait?: number | undefined;
};

const TIME_LIMIT_MS = 15_000;

/** The address and the key. The key comes from the environment alone, so that it stands in no source. */
export function target(url: string | undefined): { url: string; key: string } {
  const { AUDIENCE_GATE_URL, AUDIENCE_GATE_KEY: key } = process.env;
  const address = url ?? AUDIENCE_GATE_URL;
  if (!address) throw new Misconfigured("set AUDIENCE_GATE_URL to the address of the function `ingest`");
  if (!key) throw new Misconfigured("set AUDIENCE_GATE_KEY to a secret key of the project");
  if (!URL.canParse(address)) throw new Misconfigured("the address of the function is not a URL");
  const { protocol, hostname } = new URL(address);
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  if (protocol !== "https:" && !(protocol === "http:" && local)) {
    throw new Misconfigured(
      "the address of the function must begin with https://, or the key could be read on the way",
    );
  }
  return { url: address, key };
}

export async function post({ url, key }: { url: string; key: string }, texts: string[]): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", apikey: key },
      body: `[${texts.join()}]`,
      // Where it leads is not where the key belongs.
      redirect: "manual",
      signal: AbortSignal.timeout(TIME_LIMIT_MS),
    });
    const { status } = response;
    const text = await response.text();
    const wait = retryAfter(response.headers.get("retry-after"), Date.now());
    const { results, error } = parsed(text);
    // A captive portal answers 200 as well: without verdicts there was no answer.
    if (outcomeOf(status) === "settled" && !Array.isArray(results)) return { status: 0 };
    return { status, wait, ...(Array.isArray(results) && { results }), ...(error && { error }) };
  } catch {
    return { status: 0 };
  }
}

function parsed(text: string): { results?: Result[]; error?: Answer["error"] } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
