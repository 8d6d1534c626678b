// A session: an opaque id that ends after half an hour of silence, and the campaign that brought the visitor.
import { UTM_LENGTH } from "../shared/limits.ts";
import type { Area } from "./area.ts";
import { holdsAddress } from "./guard.ts";

export type Utm = Partial<
  Record<`utm_${"source" | "medium" | "campaign" | "content" | "term"}`, string>
>;
/** `from` stands for the parameters it began with, whatever was left out of them since. */
export type Session = { id: string; seen: number; utm: Utm; from?: string };

const IDLE = 30 * 60_000;

/** UUID v4; `crypto.randomUUID` exists in secure contexts only. */
export function uuid(): string {
  if (crypto.randomUUID) return crypto.randomUUID();
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) => {
    const random = crypto.getRandomValues(new Uint8Array(1))[0] ?? 0;
    return (Number(digit) ^ (random & (15 >> (Number(digit) / 4)))).toString(
      16,
    );
  });
}

/** The id of an event: a UUID v7, which begins with the time, so that new ids lie together in an index of any size. */
export function eventId(now: number): string {
  const time = now.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${uuid().slice(15)}`;
}

/**
 * Campaign parameters of an address. One that no event may hold is left out, and the others stay: mailing tools put
 * e-mail addresses there. What else is wrong with one, the contract says later.
 */
export function campaign(url: URL, leftOut: (key: string, why: string) => void): Utm {
  const utm: Utm = {};
  for (const [key, value] of url.searchParams) {
    if (!/^utm_(source|medium|campaign|content|term)$/.test(key) || !value.trim()) continue;
    // A character that no text holds: what was sent is damaged.
    if (/[\0\uFFFD]/.test(value)) leftOut(key, "it holds characters that no text has");
    else if (holdsAddress(value)) leftOut(key, "it holds an e-mail address");
    else utm[key as keyof Utm] = [...value].slice(0, UTM_LENGTH).join("");
  }
  return utm;
}

/** Takes parameters out of the session, so that no later event has them. */
export function forget(area: Area, key: string, names: readonly string[]): void {
  const session = kept(area, key);
  if (!session) return;
  for (const name of names) delete session.utm[name as keyof Utm];
  area.set(key, JSON.stringify(session));
}

function kept(area: Area, key: string): Session | undefined {
  try {
    return JSON.parse(area.get(key) ?? "") as Session;
  } catch {
    // no session is on record
  }
}

/** The session of an event; a new one begins after silence, or when another campaign brings the visitor. */
export function touchSession(
  area: Area,
  key: string,
  landed: Utm,
): { session: Session; begun: boolean } {
  const now = Date.now();
  const session = kept(area, key);
  const from = hash(JSON.stringify(landed));
  const another = Object.keys(landed).length > 0 && from !== session?.from;
  const begun = !session || another || now - session.seen > IDLE;
  const current = begun || !session ? { id: uuid(), seen: now, utm: landed, from } : { ...session, seen: now };
  area.set(key, JSON.stringify(current));
  return { session: current, begun };
}

/** The kind of referrer of a visit without a campaign; the referring address itself is not kept. */
export function referrerKind(
  referrer: string,
  host: string,
): "direct" | "search" | "social" | "referral" {
  if (!referrer) return "direct";
  const from = URL.canParse?.(referrer) ? new URL(referrer).host : "";
  if (!from || from === host) return "direct";
  if (
    /(^|\.)(google|bing|duckduckgo|yahoo|ecosia|qwant|baidu|yandex)\./.test(
      from,
    )
  ) return "search";
  if (
    /(^|\.)(facebook|instagram|linkedin|reddit|youtube|tiktok|pinterest|x|twitter)\.com$|^t\.co$|(^|\.)bsky\.app$/
      .test(from)
  ) return "social";
  return "referral";
}

/** Tells texts apart without keeping them; not a secret. */
export function hash(text: string): string {
  let value = 5381;
  for (let index = 0; index < text.length; index++) value = (value * 33) ^ text.charCodeAt(index);
  return (value >>> 0).toString(36);
}
