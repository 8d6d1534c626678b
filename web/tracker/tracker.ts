// The tracker: turns "this happened" into an event in the queue. send.ts sends it; the contract refuses it.
import { createArea } from "./area.ts";
import { createPrecheck } from "./precheck.ts";
import { createPrivacy } from "./privacy.ts";
import { createQueue } from "./queue.ts";
import { createSender } from "./send.ts";
import { campaign, eventId, referrerKind, touchSession } from "./session.ts";
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
import { createViews, path } from "./view.ts";

type Event = { id: string; event_type: string; user_id?: string | null; metadata: { [key: string]: unknown } };

export function createTracker(options: TrackerOptions): Tracker {
  const { endpoint, key, source = "web", flushInterval = 2000 } = options;
  const automatic = new Set<Automatic>(options.automatic ?? ["landing", "page_view", "content_view"]);
  const debug = options.debug ?? /^(localhost|127\.|\[::1\])/.test(location.hostname);
  const prefix = `ag.${hash(endpoint + key + (options.siteId ?? ""))}.`;
  const area = createArea(options.storage ?? "local");
  const stats = { accepted: 0, rejected: 0, dropped: 0 };
  const { referrer } = document;
  let landed = campaign(new URL(location.href));

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
  );
  const precheck = createPrecheck(
    options.contract,
    endpoint,
    key,
    options.siteId,
    (error) => tell(() => {}, `no check in this page, the server judges alone: ${error}`),
  );
  const sender = createSender({
    endpoint,
    key,
    area,
    prefix,
    queue,
    user,
    accepted(id, event_type, replayed) {
      stats.accepted++;
      tell(() => options.onAccept?.({ id, event_type, replayed }));
    },
    rejected(id, type, violations) {
      views.reopen(id);
      reject(id, type, "server", violations);
    },
    undeliverable: (id) => drop(id, "not_deliverable"),
    failed: (status, message) => tell(() => options.onError?.({ status, message }), `HTTP ${status}: ${message}`),
  });

  // --- From the caller's words to an event in the queue.
  const complete = (input: Omit<EventInput, "email">): Event => {
    const { session, begun } = touchSession(area, `${prefix}session`, landed);
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
    return {
      id: eventId(),
      occurred_at: new Date().toISOString(),
      session_id: session.id,
      event_source: source,
      ...session.utm,
      ...(options.siteId && { site_id: options.siteId }),
      // Stamped now, because somebody else may be signed in when the queue is sent.
      ...(options.user && { user_id: user()?.id ?? null }),
      ...input,
      metadata: { ...input.metadata, ...privacy.record() },
    } as Event;
  };

  const place = (event: Event, quiet = false): TrackResult => {
    const { id } = event;
    const reason = privacy.withheld();
    if (reason) return { status: "withheld", reason };
    let text = "";
    let violations: readonly Violation[];
    try {
      text = JSON.stringify(event);
      violations = precheck.judge(text, event.user_id ?? null);
    } catch (error) {
      violations = [{ rule_id: "parse.json", reason: `the event cannot be written as JSON: ${error}` }];
    }
    const faulty = violations.length > 0;
    if (faulty && !quiet) reject(id, event.event_type, "browser", violations);
    const harmless = text && !violations.some((one) => one.rule_id.startsWith("privacy."));
    if (!faulty || (options.sendRejected && harmless)) {
      queue.put(id, text);
      sender.schedule(flushInterval);
    }
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
    const reason = privacy.withheld();
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
  const views = createViews((metadata) => {
    // Until the contract has loaded, no view counts as long enough.
    if (!automatic.has("content_view") || !precheck.settled() || privacy.withheld()) return;
    const event = complete({ event_type: "content_view", event_category: "engagement", metadata });
    return place(event, !options.sendRejected).status === "queued" ? event.id : undefined;
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
    if (privacy.withheld()) return;
    precheck.load();
    if (views.path() === undefined) page(options.content);
    sender.schedule(flushInterval);
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
      start();
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
      if (!privacy.withheld()) return start();
      // Withdrawn: only the choice itself stays on the device.
      clearing = true;
      queue.clear();
      clearing = false;
      area.remove(`${prefix}session`);
      area.remove(`${prefix}pause`);
    },
    permission: privacy.permission,
    stats() {
      const queued = queue.list();
      return { queued: queued.length, queuedBytes: queued.reduce((sum, entry) => sum + entry.bytes, 0), ...stats };
    },
    ready: () => precheck.load().then(precheck.available),
  };
}

/** Keeps apart the storage of trackers with different targets on one origin; not a secret. */
function hash(text: string): string {
  let value = 5381;
  for (let index = 0; index < text.length; index++) value = (value * 33) ^ text.charCodeAt(index);
  return (value >>> 0).toString(36);
}
