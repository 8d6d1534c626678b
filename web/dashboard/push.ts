/**
 * Listens for changes of a site's figures, so that the page need not ask: on a private topic of the project's Realtime, over its
 * protocol (Phoenix channels, version 1.0.0). `realtime-js` has all of that protocol; a page that only listens needs this much.
 */
import type { Client } from "./client.ts";
import { nullable, text } from "./decode.ts";
import { read } from "./kpi.ts";
import { isWatched, onReturn } from "./watched.ts";

/** Realtime ends a connection that says nothing for a minute. */
const BEAT = 25_000;
/** How long an answer may take. */
const PATIENCE = 10_000;
/** After a loss it tries again, each time after twice as long. */
const [SOONEST, LATEST] = [5_000, 300_000];
/** How long to wait after a message, so that others that follow at once are answered by the same reading. */
const SETTLE = 1_000;

export interface Told {
  /** Whether changes are told from now on, or have to be asked for. */
  readonly listening: (yes: boolean) => void;
  readonly changed: () => void;
}
interface Message {
  readonly topic: string;
  readonly event: string;
  readonly payload: { readonly status?: string; readonly event?: string };
  readonly ref: string | null;
}

/** Listens while somebody looks at the page, where the project has Realtime. Whoever looks away leaves the topic. */
export function listen(client: Client, site: string, told: Told, signal: AbortSignal): void {
  let socket: WebSocket | undefined;
  let coming = false;
  let joined = false;
  let losses = 0;
  let missed = false;
  let timers: ReturnType<typeof setTimeout>[] = [];
  let settling: ReturnType<typeof setTimeout> | undefined;

  const { data: { subscription } } = client.auth.onAuthStateChange((event, session) => {
    if (event === "TOKEN_REFRESHED" && session) renew(session.access_token);
  });
  let topic = "";
  let ref = 0;
  let unanswered: string | undefined;
  document.addEventListener("visibilitychange", () => document.hidden && leave(), { signal });
  onReturn(() => void come(), signal);
  signal.addEventListener("abort", () => {
    subscription.unsubscribe();
    clearTimeout(settling);
    leave();
  });
  void come();

  async function come(): Promise<void> {
    if (socket || coming || signal.aborted || !isWatched()) return;
    coming = true;
    try {
      const own = nullable(text)(await read(client, "audience_push_topic", { site }), "audience_push_topic");
      const { data: { session } } = await client.auth.getSession();
      if (own !== null && session && !signal.aborted && isWatched()) open(`realtime:${own}`, session.access_token);
    } catch (error) {
      console.error(error);
      lost();
    } finally {
      coming = false;
    }
  }

  function open(own: string, token: string): void {
    const opened = new WebSocket(client.realtime);
    [socket, topic] = [opened, own];
    unanswered = undefined;
    const mine = (act: () => void) => () => {
      if (socket === opened) act();
    };
    opened.onopen = mine(() => {
      const config = { private: true, broadcast: { ack: false, self: false }, presence: { key: "", enabled: false } };
      send("phx_join", { config: { ...config, postgres_changes: [] }, access_token: token });
    });
    opened.onclose = mine(lost);
    opened.onmessage = ({ data }) => {
      if (socket === opened) hear(JSON.parse(String(data)) as Message);
    };
    timers.push(setTimeout(mine(() => !joined && lost()), PATIENCE), setTimeout(mine(beat), BEAT));
  }

  function hear({ topic: where, event, payload, ref: answered }: Message): void {
    if (answered !== null && answered === unanswered) unanswered = undefined;
    if (where !== topic) return;
    if (event === "phx_reply" && payload.status === "ok" && !joined) {
      joined = true;
      losses = 0;
      told.listening(true);
      // Messages sent while nobody listened are lost, so the figures are read once instead.
      if (missed) told.changed();
      missed = true;
    } else if (event === "phx_close" || event === "phx_error" || (event === "phx_reply" && payload.status !== "ok")) {
      lost();
    } else if (event === "broadcast" && payload.event === "changed") {
      settling ??= setTimeout(() => {
        settling = undefined;
        told.changed();
      }, SETTLE);
    }
  }

  function beat(): void {
    if (!isWatched()) return leave();
    if (unanswered !== undefined) return lost();
    unanswered = send("heartbeat", {}, "phoenix");
    timers.push(setTimeout(beat, BEAT));
  }

  /** The reader stays signed in under a new token, under which Realtime asks again whether they may listen. */
  function renew(access_token: string): void {
    if (joined) send("access_token", { access_token });
    // Asking for the topic again has the database tell of the site for another day.
    if (joined) void read(client, "audience_push_topic", { site }).catch((error: unknown) => console.error(error));
  }

  function send(event: string, payload: object, where = topic): string {
    const own = String(ref += 1);
    socket?.send(JSON.stringify({ topic: where, event, payload, ref: own, join_ref: "1" }));
    return own;
  }

  function lost(): void {
    leave();
    timers.push(setTimeout(() => void come(), Math.min(LATEST, SOONEST * 2 ** losses)));
    losses += 1;
  }

  function leave(): void {
    const open = socket;
    const was = joined;
    [socket, joined] = [undefined, false];
    for (const timer of timers) clearTimeout(timer);
    timers = [];
    open?.close();
    if (was) told.listening(false);
  }
}
