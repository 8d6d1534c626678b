/** Request bodies to measure on: believable events of about 515 bytes, the same ones in every run. */

/** `refused`: the share of its events that the contract refuses, to within a fiftieth. */
export type Corpus = { name: string; refused: number; events: string[] };

const RECEIVED_AT = Date.parse("2026-11-21T12:00:00Z");
const SITE = "00000000-0000-4000-8000-000000000001";
const encoder = new TextEncoder();

/** What every contender is told about the request. */
export const REQUEST = {
  caller: "visitor" as const,
  origin: "https://www.example.com",
  receivedAt: RECEIVED_AT,
};

/** Corpora with and without rejected events, in plain ASCII and with other letters in one event in fifty. */
export function corpora(count: number): Corpus[] {
  return [
    { name: "ASCII, all accepted", refused: 0, events: events(count, 1, 0, 0) },
    { name: "mixed, all accepted", refused: 0, events: events(count, 2, 0, 0.02) },
    { name: "ASCII, one in ten rejected", refused: 0.1, events: events(count, 3, 0.1, 0) },
    { name: "mixed, one in ten rejected", refused: 0.1, events: events(count, 4, 0.1, 0.02) },
  ];
}

/** The corpus cut into bodies of `size` events; a body of one event is the bare object. */
export function bodies(corpus: Corpus, size: number): Uint8Array[] {
  const cut: Uint8Array[] = [];
  for (let at = 0; at + size <= corpus.events.length; at += size) {
    const part = corpus.events.slice(at, at + size);
    cut.push(encoder.encode(size === 1 ? part[0] : `[${part.join(",")}]`));
  }
  return cut;
}

type Draw = { next: () => number; below: (n: number) => number; of: <T>(list: readonly T[]) => T; uuid: () => string };
type Fields = Record<string, unknown> & { metadata: Record<string, unknown> };

function events(count: number, seed: number, rejected: number, foreign: number): string[] {
  const draw = generator(seed);
  return Array.from({ length: count }, () => {
    const event = draw.next() < 0.095 ? subscription(draw) : draw.of(KINDS)(draw);
    if (draw.next() < foreign) {
      event.metadata.page_title = draw.of(["Übersicht für Anfänger", "入門ガイド", "Größe wählen 🧭"]);
    }
    if (draw.next() < rejected) draw.of(FAULTS)(event);
    return JSON.stringify(event);
  });
}

function base(draw: Draw, type: string, category: string, metadata: Record<string, unknown>): Fields {
  return {
    id: draw.uuid(),
    occurred_at: new Date(RECEIVED_AT - draw.below(3_600_000)).toISOString(),
    session_id: draw.uuid(),
    event_type: type,
    event_category: category,
    event_source: draw.of(["web", "ios-app", "android-app"]),
    site_id: SITE,
    utm_source: draw.of(["newsletter", "search", "partner"]),
    utm_medium: draw.of(["email", "cpc", "referral"]),
    utm_campaign: draw.of(["autumn-2026", "launch-week", "evergreen"]),
    metadata: {
      ...metadata,
      device_class: draw.of(["desktop", "mobile", "tablet"]),
      viewport: { width: draw.of([390, 820, 1280, 1920]), height: draw.of([720, 844, 1080]) },
      labels: [draw.of(["guide", "news", "tool"]), draw.of(["sleep", "focus", "energy"])],
    },
  };
}

const pagePath = (draw: Draw) => `/guides/${draw.of(["sleep", "focus", "energy"])}/part-${draw.below(40)}`;
const contentId = (draw: Draw) => `guide-${draw.below(900)}`;

const KINDS: readonly ((draw: Draw) => Fields)[] = [
  (draw) =>
    base(draw, "content_view", "engagement", {
      content_id: contentId(draw),
      page_path: pagePath(draw),
      duration_seconds: 20 + draw.below(4000) / 10,
      scroll_depth_percent: draw.below(101),
    }),
  (draw) =>
    base(draw, "page_view", "engagement", { page_path: pagePath(draw), referrer_kind: draw.of(["direct", "search"]) }),
  (draw) =>
    base(draw, "tool_used", "engagement", { tool_id: "dose-planner", page_path: pagePath(draw), outcome: "completed" }),
  (draw) =>
    base(draw, "referral_click", "advocacy", {
      platform: draw.of(["mastodon", "bluesky"]),
      share_type: "link",
      outbound_target: `https://www.example.com${pagePath(draw)}`,
    }),
  (draw) => base(draw, "campaign_landing", "attribution", { landing_page: pagePath(draw) }),
  (draw) => base(draw, "feature_used", "engagement", { feature_id: "export", page_path: pagePath(draw) }),
];

function subscription(draw: Draw): Fields {
  const { metadata, ...event } = base(draw, "email_subscribe", "subscription", {
    channel: "newsletter",
    consent_recorded: true,
    form_id: "footer",
  });
  return { ...event, email: `reader.${draw.below(1e6)}@example.com`, metadata };
}

const FAULTS: readonly ((event: Fields) => void)[] = [
  (event) => delete event.event_source,
  (event) => event.session_id = "s-1",
  (event) => event.event_category = "Engagement",
  (event) => event.event_type = "unheard_of",
  (event) => event.occurred_at = "2020-01-01T00:00:00Z",
  (event) => event.colour = "red",
  (event) => event.metadata.note = "write to ada@example.com",
  (event) => event.metadata.firstName = "Ada",
  (event) => event.metadata.note = "call +14155552671",
  (event) => Object.assign(event.metadata, { prior_state: "S0", new_state: "S3" }),
  (event) => event.user_id = "7c9e6679-7425-40de-944b-e07fc1f90ae7",
  (event) => event.metadata.page_path = 7,
];

/** A small reproducible generator (mulberry32). */
function generator(seed: number): Draw {
  let state = seed * 0x9e3779b9;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number) => Math.floor(next() * n);
  const hex = (digits: number) => below(16 ** digits).toString(16).padStart(digits, "0");
  return {
    next,
    below,
    of: (list) => list[below(list.length)],
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(6)}${hex(6)}`,
  };
}
