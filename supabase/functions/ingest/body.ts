/** Reads a body: what it claims to be, and its bytes, limited while they arrive. */

import { Refusal } from "./refusal.ts";

export interface BodyLimits {
  /** The most that a body may have, before and after decompression. */
  readonly bytes: number;
  /** The time from the first read to the last. */
  readonly ms: number;
}

/** What `judge` has to know of the media type. */
export interface BodyKind {
  readonly ndjson: boolean;
}

const NDJSON = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
]);
// A beacon makes no preflight, and without one it can set no type but text/plain.
const JSON_TYPES = new Set(["", "application/json", "text/plain"]);

export function bodyKind(headers: Headers): BodyKind {
  const [type = "", ...parameters] = (headers.get("content-type") ?? "")
    .toLowerCase().split(";").map((s) => s.trim());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice(8).replaceAll('"', "");
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") {
    throw new Refusal(
      "unsupported_media_type",
      "the body's charset is not UTF-8",
      "send the body as UTF-8",
    );
  }
  if (NDJSON.has(type)) return { ndjson: true };
  if (JSON_TYPES.has(type)) return { ndjson: false };
  throw new Refusal(
    "unsupported_media_type",
    "the body's media type is not one this function reads",
    "send application/json, application/x-ndjson, or text/plain holding JSON",
    { Accept: [...JSON_TYPES, ...NDJSON].filter(Boolean).join(", ") },
  );
}

export async function readBody(
  request: Request,
  limits: BodyLimits,
): Promise<Uint8Array> {
  const encoding = (request.headers.get("content-encoding") ?? "identity")
    .trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip") {
    throw new Refusal(
      "unsupported_encoding",
      "the body's content encoding is not one this function reads",
      "send the body plain or with Content-Encoding: gzip",
      { "Accept-Encoding": "gzip" },
    );
  }
  const announced = Number(request.headers.get("content-length") ?? 0);
  if (announced > limits.bytes) {
    throw tooLarge(limits, `the body announces ${announced} bytes`);
  }
  if (request.body === null) return new Uint8Array();

  const sent = await collect(request.body, limits, incomplete);
  return encoding === "gzip" ? await collect(expand(sent), limits, badGzip) : sent;
}

/** Reads to the end, stopping at the first byte over the limit and at the deadline. */
async function collect(
  stream: ReadableStream<Uint8Array>,
  limits: BodyLimits,
  broken: () => Refusal,
): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    discard(reader);
  }, limits.ms);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.byteLength;
      if (length > limits.bytes) {
        discard(reader);
        throw tooLarge(limits, `the body is longer than ${limits.bytes} bytes`);
      }
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (!late) throw broken();
  } finally {
    clearTimeout(timer);
  }
  if (late) {
    throw new Refusal(
      "body_timeout",
      `the body did not arrive within ${limits.ms} ms`,
      "send it again, in smaller batches on a slow connection",
    );
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : concatenated(chunks, length);
}

// The decompressor expands one write completely before anyone can stop it (up to 1032 times), so it is fed small slices.
const SLICE = 4096;

function expand(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let offset = 0;
  const slices = new ReadableStream<BufferSource>({
    pull(controller) {
      if (offset >= bytes.byteLength) return controller.close();
      controller.enqueue(bytes.slice(offset, offset + SLICE));
      offset += SLICE;
    },
  });
  return slices.pipeThrough(new DecompressionStream("gzip"));
}

function concatenated(
  chunks: readonly Uint8Array[],
  length: number,
): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}

/** The rest of a refused body does not matter, nor does an error in it. */
function discard(reader: ReadableStreamDefaultReader<Uint8Array>): void {
  reader.cancel().catch(() => {});
}

function tooLarge(limits: BodyLimits, message: string): Refusal {
  return new Refusal(
    "body_too_large",
    message,
    `split it: a body may have at most ${limits.bytes} bytes, before and after compression; nothing was recorded`,
  );
}

function incomplete(): Refusal {
  return new Refusal(
    "body_incomplete",
    "the body broke off before its end",
    "send it again with the same event ids; nothing was recorded",
  );
}

function badGzip(): Refusal {
  return new Refusal(
    "bad_gzip",
    "the body is not a complete gzip stream",
    "compress the whole body with gzip, or send it plain; nothing was recorded",
  );
}
