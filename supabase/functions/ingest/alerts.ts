/**
 * Tells destinations of the alerts that began or ended: `POST /alerts`.
 *
 * The database says what is due and gives each message to one caller at a time, so however many call, a message is sent once.
 */

import type { AlertMessage } from "./alert_message.ts";
import { badKey, type Caller } from "./caller.ts";
import type { Line } from "./log.ts";
import { asking, type Store } from "./store.ts";
import type { Problem, Tell } from "./webhook.ts";

/** A message that this function alone may send for now. */
export interface Delivery {
  readonly id: string;
  readonly attempt: number;
  /** What its owners call the destination. */
  readonly name: string;
  readonly form: "json" | "slack";
  /** A secret. */
  readonly url: string;
  readonly message: AlertMessage;
}

/** What came of it. */
export interface Outcome {
  readonly id: string;
  readonly attempt: number;
  /** Null: it arrived. */
  readonly problem: Problem | null;
  readonly status: number | null;
  /** After how many seconds the receiver wants to hear again. */
  readonly retry_after: number | null;
}

export interface Settled {
  readonly delivered: number;
  readonly due: number;
  readonly failed: number;
}

export interface AlertsDeps {
  readonly store: Pick<Store, "claimAlerts" | "settleAlerts" | "testAlerts">;
  readonly tell: Tell;
}

/** A secret key sends what is due; a signed-in user, what is due of the sites that they own. `test`: have all told first. */
export async function sendAlerts(deps: AlertsDeps, caller: Caller, test: boolean, line: Line): Promise<Response> {
  if (caller.kind === "visitor" || (test && caller.kind !== "trusted")) throw badKey();
  if (test) await asking(() => deps.store.testAlerts(), line);
  const deliveries = await asking(() => deps.store.claimAlerts(caller.id), line);
  line.events = deliveries.length;
  const told = await Promise.all(deliveries.map(async (delivery) => ({ delivery, ...(await deps.tell(delivery)) })));
  const outcomes = told.map(({ delivery: { id, attempt }, problem, status, retry_after }): Outcome => ({
    id,
    attempt,
    problem,
    status,
    retry_after,
  }));
  const settled = outcomes.length === 0
    ? { delivered: 0, due: 0, failed: 0 }
    : await asking(() => deps.store.settleAlerts(outcomes), line);
  const results = told.map(({ delivery: { id, name, message: { type } }, problem, status }) => ({
    id,
    destination: name,
    type,
    problem,
    status,
  }));
  return Response.json({ ...settled, results });
}
