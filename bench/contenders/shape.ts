/** What a schema library adds to the contract: the shape. The rest stays plain code, as every team writes it. */
import { normalEmail } from "./email.ts";
import { inspect, namesBlockedJump, namesLike, oversized } from "./privacy.ts";
import { violations } from "./rules.ts";
import { readTime } from "./time.ts";
import type { Context, Json, JudgeEvent, Members, PayloadSchema } from "./types.ts";

/** Whether a value has a shape: a compiled schema of any library. */
export type Shape = (value: unknown) => boolean;

/** The text fields of an event, with what a schema says about them. */
export const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;
export const INK = /[^\t\n\f\r ]/;
export const CATEGORIES = ["engagement", "subscription", "advocacy", "retention", "attribution", "system"] as const;

/** What a contender builds with its library: the event without metadata, and the metadata of one event type. */
export type Shapes = {
  event: Shape;
  metadata: (type: string, category: string, payload: PayloadSchema | null) => Shape;
};

const NONE: readonly string[] = [];

/**
 * Judges by schemas. An event is accepted if its shapes hold and the plain rules accept it; the complete rules explain
 * any other event, which is how a library's issues become the contract's rule ids.
 */
export function judgeByShape(shapes: Shapes): JudgeEvent {
  const ofType = new Map<string, Shape>();
  return (event: Json, context: Context) => {
    if (shapes.event(event) && rest(event as Members, context)) {
      const { event_type: type, metadata } = event as Members;
      let shape = ofType.get(type as string);
      if (!shape) {
        const { category, payload } = context.registry.types.get(type as string)!;
        shape = shapes.metadata(type as string, category, payload);
        ofType.set(type as string, shape);
      }
      if (shape(metadata)) return NONE;
    }
    return violations(event, context);
  };
}

/** Every rule that is not a matter of shape, for an event whose fields have their shapes. */
function rest(event: Members, context: Context): boolean {
  const { registry } = context;
  const entry = registry.types.get(event.event_type as string);
  if (!entry || entry.category !== event.event_category) return false;

  const occurredAt = event.occurred_at;
  if (typeof occurredAt === "string") {
    const ahead = readTime(occurredAt) - context.receivedAt;
    if (!(ahead <= 300_000 && ahead >= -604_800_000)) return false;
  }
  const email = event.email;
  if (typeof email === "string" && normalEmail(email) === undefined) return false;

  const metadata = event.metadata as Members;
  const seen = inspect(event);
  if (seen.tooDeep || seen.unstorableText || seen.unstorableNumber || oversized(metadata, email)) return false;
  if (seen.rawEmail || seen.personalKey || seen.personalValue) return false;

  if (namesBlockedJump(metadata, registry.blockedJumps)) return false;
  switch (entry.category) {
    case "subscription":
      // If both are there, they have to agree, which the complete rules check.
      if (event.event_type === "email_subscribe" && (email === undefined) === (metadata.email_hash === undefined)) {
        return false;
      }
      break;
    case "advocacy":
      if (namesLike(event.event_type) || namesLike(metadata.share_type)) return false;
      break;
    case "attribution":
      if (event.utm_campaign && !(event.utm_source && event.utm_medium)) return false;
      break;
    case "retention":
    case "system":
      return false;
  }
  return mayBeSent(event, context);
}

function mayBeSent(event: Members, context: Context): boolean {
  const { user_id: user, site_id: site } = event;
  if (context.caller === "visitor" && typeof user === "string") return false;
  if (context.caller === "user" && typeof user === "string" && user.toLowerCase() !== context.callerId) return false;
  const { sites, defaultSite } = context.registry;
  const origins = sites.get(typeof site === "string" ? site.toLowerCase() : defaultSite);
  return origins === null || (origins !== undefined && (!context.origin || origins.has(context.origin)));
}
