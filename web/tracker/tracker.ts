// The tracker: turns "this happened" into an event in the queue. send.ts sends it; the contract refuses it.
import { createArea } from "./area.ts";
import { automation } from "./automation.ts";
import { createClock } from "./clock.ts";
import { mend } from "./mend.ts";
import { createPrecheck } from "./precheck.ts";
import { createPrivacy } from "./privacy.ts";
import { createQueue, REPORT } from "./queue.ts";
import { report } from "./report.ts";
import { createSender } from "./send.ts";
import { campaign, eventId, forget, hash, referrerKind, touchSession } from "./session.ts";
import type {
  Automatic,
  Content,
  Drop,
  EventInput,
  Tracker,
  TrackerOptions,
  TrackResult,
  User,
  Violation,
} from "./types.ts";
import { createViews, cut } from "./view.ts";

/** Set by the build. */
declare const VERSION: string;

type Event = { id: string; event_type: string; user_id?: string | null; metadata: { [key: string]: unknown } };

export function createTracker(options: TrackerOptions): Tracker {
  const { endpoint, key, source = "web", flushInterval = 2000 } = options;
  const automatic = new Set<Automatic>(options.automatic ?? ["landing", "page_view", "content_view"]);
  const debug = options.debug ?? /^(localhost|127\.|\[::1\])/.test(location.hostname);
  const prefix = `ag.${hash(endpoint + key + (options.siteId ?? ""))}.`;
  const area = createArea(options.storage ?? "local");
  const sessionKey = `${prefix}session`;
  const clock = createClock(area, `${prefix}clock`);
  const stats = { accepted: 0, rejected: 0, reported: 0, mended: 0, dropped: 0 };
  const { referrer } = document;
  const path = () => {
    const { paths = "cut" } = options;
    const { pathname } = location;
    return (paths === "keep" ? pathname : paths === "cut" ? cut(pathname) : paths(pathname)).slice(0, 512);
  };

  // --- What the developer hears.
  const tell = (say: () => void, line?: string) => {
    if (debug && line) console.warn(`[audience-gate] ${line}`);
    try {
      say();
    } catch (error) {
      // The page's own callback failed: its developer should see that, and our queue must not suffer.
      console.error(error);
    }
  };
  const leftOut = new Set<string>();
  /** Said wherever the page is, unless it asked for silence: whoever wrote the link has to mend it. */
  const leaveOut = (name: string, why: string) => {
    if (options.debug !== false && !leftOut.has(name)) {
      console.warn(`[audience-gate] ${name} is left out of the events: ${why}`);
    }
    leftOut.add(name);
  };
  let landed = campaign(new URL(location.href), leaveOut);
  const reject = (id: string, event_type: string, by: "browser" | "server", violations: readonly Violation[]) => {
    stats.rejected++;
    const reasons = violations.map(({ rule_id, reason }) => `\n  ${rule_id}: ${reason}`).join("");
    tell(
      () => options.onReject?.({ id, event_type, by, violations }),
      `the ${by} rejected ${event_type} ${id}${reasons}`,
    );
  };
  const drop = (id: string, reason: Drop["reason"]) => {
    stats.dropped++;
    tell(() => options.onDrop?.({ id, reason }), `dropped ${id}: ${reason}`);
  };
  const user = (): User | null => {
    let current: User | null = null;
    tell(() => {
      current = options.user?.() ?? null;
    });
    return current;
  };

  // --- The parts.
  let clearing = false;
  const queue = createQueue(
    area,
    `${prefix}q.`,
    options.maxQueueBytes ?? 262_144,
    (id) => drop(id, clearing ? "consent_withdrawn" : "queue_full"),
  );
  const privacy = createPrivacy(
    area,
    `${prefix}consent`,
    options.consent ?? "ask",
    options.consentVersion,
    options.respectPrivacySignals ?? true,
    options.automation === "withhold",
  );
  const precheck = createPrecheck(
    options.contract,
    endpoint,
    key,
    options.siteId,
    clock,
    (error) => tell(() => {}, `no check in this page, the server judges alone: ${error}`),
  );
  const sender = createSender({
    endpoint,
    key,
    area,
    prefix,
    queue,
    clock,
    user,
    accepted(id, event_type, replayed) {
      stats.accepted++;
      tell(() => options.onAccept?.({ id, event_type, replayed }));
    },
    rejected({ id, type, text, at }, violations) {
      const mended = acceptable(text, violations, at);
      if (mended !== undefined) {
        stats.mended++;
        return queue.put(id, mended, at);
      }
      views.reopen(id);
      reject(id, type, "server", violations);
    },
    reported: () => stats.reported++,
    undeliverable: (id) => drop(id, "not_deliverable"),
    failed: (status, message) => tell(() => options.onError?.({ status, message }), `HTTP ${status}: ${message}`),
  });

  /**
   * The event as it may still be accepted. `at` is when it happened by the device's clock, and is written as the server's
   * time; what the campaign loses, no later event of the session has either.
   */
  const acceptable = (text: string, violations: readonly Violation[], at: number | undefined): string | undefined => {
    // Never later than the server's own time: the device's may have been set right meanwhile.
    const error = clock.now() - Date.now();
    const mended = mend(text, violations, at && Math.min(at + error, clock.now()));
    if (!mended) return;
    for (const name of mended.left) {
      leaveOut(
        name,
        violations.find((one) => one.path === `/${name}`)?.reason ?? "its campaign has no source or medium",
      );
    }
    // An attribution event may not name a campaign alone; every other may.
    forget(area, sessionKey, mended.left.filter((name) => violations.some((one) => one.path === `/${name}`)));
    return mended.text;
  };

  // --- From the caller's words to an event in the queue.
  /** When events happened, by the device's clock, unless the page said it itself. */
  const happened = new WeakMap<Event, number>();
  const complete = (input: Omit<EventInput, "email">): Event => {
    const { session, begun } = touchSession(area, sessionKey, landed);
    landed = {};
    if (begun && automatic.has("landing")) {
      const campaigned = Object.keys(session.utm).length > 0;
      track({
        event_type: campaigned ? "campaign_landing" : "organic_landing",
        event_category: "attribution",
        metadata: {
          landing_page: path(),
          ...(!campaigned && { referrer_kind: referrerKind(referrer, location.host) }),
        },
      });
    }
    const event = {
      id: eventId(clock.now()),
      occurred_at: new Date(clock.now()).toISOString(),
      session_id: session.id,
      event_source: source,
      ...session.utm,
      ...(options.siteId && { site_id: options.siteId }),
      // Stamped now, because somebody else may be signed in when the queue is sent.
      ...(options.user && { user_id: user()?.id ?? null }),
      ...input,
      metadata: { ...input.metadata, ...privacy.record(), ...maker },
    } as Event;
    if (!input.occurred_at) happened.set(event, Date.now());
    return event;
  };

  const maker = { tracker: `audience-gate/${VERSION}`, ...(automation() && { automated: automation() }) };

  const place = (event: Event, quiet = false): TrackResult => {
    const { id } = event;
    const at = happened.get(event);
    const reason = privacy.withheld();
    if (reason) return { status: "withheld", reason };
    let text = "";
    let violations: readonly Violation[];
    try {
      text = JSON.stringify(event);
      const judge = () => precheck.judge(text, event.user_id ?? null);
      violations = judge();
      // One parameter after another, because each rule names one place. The clock's error may have been learned meanwhile.
      for (let mended; (mended = acceptable(text, violations, at)) !== undefined; violations = judge()) text = mended;
    } catch (error) {
      violations = [{ rule_id: "parse.json", reason: `the event cannot be written as JSON: ${error}` }];
    }
    const faulty = violations.length > 0;
    const told = options.reportRejected ?? true;
    if (faulty && !quiet) reject(id, event.event_type, "browser", violations);
    if (!faulty) queue.put(id, text, at);
    // A refused event may come again under its id, corrected or not: each report is one of its own.
    else if (told && !quiet) {
      queue.put(
        `${REPORT}${eventId(clock.now())}`,
        report(event, violations, text ? precheck.redact(text) : undefined),
        Date.now(),
      );
    }
    sender.schedule(flushInterval);
    return faulty ? { status: "rejected", id, violations } : { status: "queued", id };
  };

  /** Events that wait for the contract to load. */
  const held = new Set<Event>();

  const admit = (event: Event): TrackResult | Promise<TrackResult> => {
    if (precheck.settled()) return place(event);
    held.add(event);
    return precheck.load().then(() => held.delete(event) ? place(event) : { status: "queued", id: event.id });
  };

  const track = async (input: EventInput): Promise<TrackResult> => {
    const reason = withheld();
    if (reason) return { status: "withheld", reason };
    const { email, ...rest } = input;
    const event = complete(rest);
    if (email !== undefined) {
      // Awaited only if it must be: while the page closes, there is no later.
      const hashing = precheck.hash(email);
      const hashed = typeof hashing === "object" ? await hashing : hashing;
      // What is not an address has no hash, and the contract says so.
      if (hashed) event.metadata["email_hash"] = hashed;
    }
    return admit(event);
  };

  // --- The page view: one `content_view` for each, sent once it satisfies the contract.
  const views = createViews(path, (metadata) => {
    // Until the contract has loaded, no view counts as long enough.
    if (!automatic.has("content_view") || !precheck.settled() || privacy.withheld()) return;
    const event = complete({ event_type: "content_view", event_category: "engagement", metadata });
    return place(event, true).status === "queued" ? event.id : undefined;
  });

  const page = (content?: Content) => {
    if (privacy.withheld()) return;
    views.end();
    views.begin(content);
    if (automatic.has("page_view")) {
      track({
        event_type: "page_view",
        event_category: "engagement",
        metadata: { page_path: views.path(), ...content },
      });
    }
  };

  const start = () => {
    if (withheld()) return;
    precheck.load();
    if (views.path() === undefined) page(options.content);
    sender.schedule(flushInterval);
  };

  /** Nothing but the choice itself stays on the device of somebody who does not agree. */
  const clear = () => {
    clearing = true;
    queue.clear();
    clearing = false;
    for (const name of ["session", "pause", "clock"]) area.remove(prefix + name);
  };

  const withheld = () => {
    const reason = privacy.withheld();
    // The signal may have been switched on since the last event.
    if (reason === "privacy_signal") clear();
    return reason;
  };

  const leave = () => {
    views.end();
    for (const event of held) {
      held.delete(event);
      place(event);
    }
    if (!privacy.withheld()) sender.hide();
  };

  document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? leave() : start()));
  addEventListener("pagehide", leave);
  addEventListener("pageshow", ({ persisted }) => persisted && page());
  addEventListener("online", () => !privacy.withheld() && sender.online());
  addEventListener("storage", (event) => {
    // A choice made in another tab is valid here at once.
    if (event.key === `${prefix}consent`) {
      privacy.reload();
      if (privacy.withheld()) clear();
      else start();
    }
  });
  (globalThis as { navigation?: EventTarget }).navigation?.addEventListener("currententrychange", () => {
    if (views.moved()) page();
  });
  start();

  return {
    track,
    page,
    async flush() {
      await precheck.load();
      if (!privacy.withheld()) await sender.flush();
    },
    consent(state, version) {
      privacy.set(state, version);
      if (!privacy.withheld()) start();
      else clear();
    },
    permission: privacy.permission,
    stats() {
      const queued = queue.list();
      return { queued: queued.length, queuedBytes: queued.reduce((sum, entry) => sum + entry.bytes, 0), ...stats };
    },
    ready: () => precheck.load().then(precheck.available),
  };
}
