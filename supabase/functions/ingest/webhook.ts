/**
 * One call of a webhook.
 *
 * The address is a member's word, so it is held to names that the whole Internet knows, over https on its usual port: what
 * answers there has a certificate for that name, which nothing inside the platform has. No redirect is followed, and no
 * answer is read.
 */

import { bodyOf } from "./alert_message.ts";
import type { Delivery, Outcome } from "./alerts.ts";
import { hmac, hmacKey } from "./sign.ts";

/** Why a message did not arrive. */
export type Problem = "timeout" | "connection" | "status" | "redirect" | "address" | "secret";

export type Tell = (delivery: Delivery) => Promise<Pick<Outcome, "problem" | "status" | "retry_after">>;

export interface TellOptions {
  /** With which messages are signed; null: only the form `slack`, whose receivers look at no signature, is sent. */
  readonly secret: string | null;
  /** Whether receivers on this machine may be told, over http: where the project itself runs on it. */
  readonly local: boolean;
  readonly timeoutMs: number;
  readonly clock: () => number;
}

const PUBLIC_NAME = /^(?:[a-z0-9_-]+\.)+[a-z0-9-]*[a-z][a-z0-9-]*$/;
const PRIVATE_NAME = /\.(?:local|localhost|internal|home\.arpa)$/;
export const LOOPBACK: readonly string[] = ["127.0.0.1", "localhost"];

export function createTell({ secret, local, timeoutMs, clock }: TellOptions): Tell {
  const encoder = new TextEncoder();
  const key = secret === null ? null : hmacKey(encoder.encode(secret));

  return async ({ id, form, url, message }) => {
    if (!mayBeTold(url, local)) return notTold("address");
    if (key === null && form === "json") return notTold("secret");
    const body = bodyOf(form, message);
    const time = String(Math.floor(clock() / 1000));
    const signature = key && await hmac(await key, encoder.encode(`${time}.${body}`));
    try {
      const response = await fetch(url, {
        method: "POST",
        body,
        headers: {
          "content-type": "application/json",
          "user-agent": "audience-gate",
          "audience-gate-delivery": id,
          ...(signature && { "audience-gate-timestamp": time, "audience-gate-signature": `v1=${signature}` }),
        },
        redirect: "manual",
        signal: AbortSignal.timeout(timeoutMs),
      });
      await response.body?.cancel();
      const { ok, status, headers } = response;
      // Some runtimes hide the status of a redirect that is not followed.
      const moved = status === 0 || (status >= 300 && status < 400);
      return {
        problem: ok ? null : moved ? "redirect" : "status",
        status: status === 0 ? null : status,
        retry_after: secondsOf(headers.get("retry-after")),
      };
    } catch (error) {
      // The message of the error holds the address.
      return notTold(error instanceof Error && error.name === "TimeoutError" ? "timeout" : "connection");
    }
  };
}

/** Whether an address is one that the function calls. */
export function mayBeTold(address: string, local: boolean): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, port, username, password } = new URL(address);
  if (username !== "" || password !== "") return false;
  if (protocol === "http:") return local && LOOPBACK.includes(hostname);
  return protocol === "https:" && port === "" && PUBLIC_NAME.test(hostname) && !PRIVATE_NAME.test(hostname);
}

function notTold(problem: Problem): Awaited<ReturnType<Tell>> {
  return { problem, status: null, retry_after: null };
}

/** Of the two forms of the header, only seconds count: receivers of webhooks send no dates. */
function secondsOf(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : null;
}
