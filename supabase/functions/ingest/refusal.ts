/** Requests that are refused without a verdict: each has a code, and each code a status. */

/** The status of every code; `openapi.yaml` and `HTTP.md` list them all. */
export const STATUS = {
  bad_gzip: 400,
  bad_reports: 400,
  body_incomplete: 400,
  no_credentials: 401,
  bad_credentials: 401,
  not_found: 404,
  method_not_allowed: 405,
  body_timeout: 408,
  body_too_large: 413,
  too_many_events: 413,
  unsupported_media_type: 415,
  unsupported_encoding: 415,
  rate_limited: 429,
  internal: 500,
  store_unavailable: 503,
  auth_unavailable: 503,
} as const;

export type RefusalCode = keyof typeof STATUS;

/** Thrown anywhere in the function, turned into an answer in one place. */
export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly hint: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: RefusalCode,
    message: string,
    hint: string,
    headers: Record<string, string> = {},
  ) {
    super(message);
    this.code = code;
    this.hint = hint;
    this.headers = headers;
  }

  toResponse(): Response {
    const { code, message, hint } = this;
    return Response.json({ error: { code, message, hint } }, {
      status: STATUS[code],
      headers: this.headers,
    });
  }
}

/** Anything that is not a refusal is a defect of ours. Its message may quote a sender's value, so it is not passed on. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal(
    "internal",
    "the function failed on this request",
    "send it again with the same event ids; if it fails again, report the Request-Id",
  );
}
