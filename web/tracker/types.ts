// Everything a page can say to the tracker, and everything the tracker says back.

/** `ask`: nothing happens until `consent()` is called. `not_required`: the page tracks on another lawful ground. */
export type ConsentState = "ask" | "granted" | "denied" | "not_required";

/** What a sender may write: the fields of the contract, less those the tracker fills in by itself. */
export type EventInput = {
  event_type: string;
  event_category:
    | "engagement"
    | "subscription"
    | "advocacy"
    | "retention"
    | "attribution"
    | "system";
  metadata?: { [key: string]: unknown };
  /** Hashed before it leaves the page; the address itself is neither stored nor sent. */
  email?: string;
  /** Idempotency key. Give one of your own where the same fact may be tracked twice. */
  id?: string;
  event_source?: string;
  occurred_at?: string;
};

export type Violation = { rule_id: string; reason: string; path?: string };

/** An event that is now stored. `replayed` means that it was stored before, and that answer was lost. */
export type Acceptance = { id: string; event_type: string; replayed: boolean };

/** An event that the contract refused, in the page or on the server. */
export type Rejection = {
  id: string;
  event_type: string;
  by: "browser" | "server";
  violations: readonly Violation[];
};

/** An event that was given up for a reason other than the contract. */
export type Drop = {
  id: string;
  reason: "queue_full" | "not_deliverable" | "consent_withdrawn";
};

export type TrackResult =
  | { status: "queued"; id: string }
  | { status: "rejected"; id: string; violations: readonly Violation[] }
  /** Nothing was recorded anywhere: the visitor did not agree to it, or is a program. */
  | { status: "withheld"; reason: "consent" | "privacy_signal" | "automation" };

/** A signed-in user, as your auth client knows them (Supabase: `session.user.id`, `session.access_token`). */
export type User = { id: string; token: string };

export type Automatic = "landing" | "page_view" | "content_view";

export type Content = { content_id?: string; page_path?: string };

export type TrackerOptions = {
  /** Address of the ingest function, e.g. `https://<project>.supabase.co/functions/v1/ingest`. */
  endpoint: string;
  /** Publishable key of the project. Never a secret one. */
  key: string;
  siteId?: string;
  /** `event_source` of every event; default `web`. */
  source?: string;
  /** Default `ask`. */
  consent?: ConsentState;
  /** Version of the text the visitor agreed to; recorded with each event. */
  consentVersion?: string;
  /** Default true: Global Privacy Control and Do Not Track are taken as a refusal. */
  respectPrivacySignals?: boolean;
  /** Names what the first page view shows; later ones are named by `page()`. */
  content?: Content;
  /** What is tracked automatically; default all three. */
  automatic?: readonly Automatic[];
  /** Where the queue and the session are kept; default `local`. `session` ends with the tab, `none` with the page. */
  storage?: "local" | "session" | "none";
  /** The most bytes that the queue may hold; then the oldest events are dropped. Default 262144. */
  maxQueueBytes?: number;
  /** For how many milliseconds events wait for more; default 2000. */
  flushInterval?: number;
  /**
   * Whether the server is told, without anything personal, what the check in the page rejected, so that it has an audit
   * row like every other rejection. Default true.
   */
  reportRejected?: boolean;
  /**
   * What becomes of events while a program drives the browser: `mark` says so in their metadata (`automated`), and
   * `withhold` records none. Default `mark`.
   */
  automation?: "mark" | "withhold";
  /**
   * What of an address becomes `page_path` and `landing_page`. Default: the path, with segments that only one visitor has
   * (tokens, UUIDs, long hexadecimal numbers, e-mail addresses) cut to `:id`. `keep` leaves them in; a function decides
   * by itself.
   */
  paths?: "cut" | "keep" | ((pathname: string) => string);
  /** Address of `contract.js`; false: no check in the page, the server alone judges. */
  contract?: string | false;
  /** Whether to write to the console. Default: everything on loopback hosts, elsewhere only that a campaign is damaged. */
  debug?: boolean;
  /** Called for each event; null for a visitor who is not signed in. */
  user?: () => User | null;
  onAccept?: (accepted: Acceptance) => void;
  onReject?: (rejection: Rejection) => void;
  onDrop?: (drop: Drop) => void;
  /** A response that no retry can change: wrong key, wrong address. Events stay queued. */
  onError?: (error: { status: number; message: string }) => void;
};

export type Stats = {
  queued: number;
  queuedBytes: number;
  accepted: number;
  /** By the page or the server. */
  rejected: number;
  /** How many of those that the page rejected the server has an audit row of. */
  reported: number;
  /** Refused once, and sent again without what was wrong: a wrong clock, a damaged campaign. */
  mended: number;
  dropped: number;
};

export type Tracker = {
  track(event: EventInput): Promise<TrackResult>;
  /** Begins a new page view by hand: single-page applications without the Navigation API, or to name the content. */
  page(content?: Content): void;
  /** Records the visitor's choice, and acts on it at once in every tab. */
  consent(state: ConsentState, version?: string): void;
  /** The permission now; `ask` means that the visitor has not been asked, or not about this version. */
  permission(): ConsentState | "privacy_signal";
  /** Sends what is queued; resolves when all was sent or the rest must wait. */
  flush(): Promise<void>;
  stats(): Stats;
  /** Whether the contract is judged in this page; false where a content security policy forbids WebAssembly. */
  ready(): Promise<boolean>;
};
