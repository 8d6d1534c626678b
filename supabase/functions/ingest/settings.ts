/**
 * What the environment says, read once per isolate.
 *
 * The platform sets every `SUPABASE_…` name; `AUDIENCE_GATE_…` are this function's own secrets, all optional.
 */

export interface Settings {
  readonly supabaseUrl: string;
  /** The key with which the function itself calls the store. */
  readonly serviceKey: string;
  readonly keys: Keys;
  /** The project's public signing keys, when the platform hands them over; otherwise they are fetched. */
  readonly jwks: Jwks | null;
  readonly emailPepper: string | undefined;
  /** With which batches are signed; null: the database judges them again. */
  readonly signingKey: string | null;
  /** With which the messages of alerts are signed; null: none in the form `json` is sent. */
  readonly alertSecret: string | null;
  /** The one header to believe about the caller's address; null: the last hop of `X-Forwarded-For`. */
  readonly addressHeader: string | null;
  /** How long the store may take before the caller is told to come back. */
  readonly storeTimeoutMs: number;
}

/** Every key that may stand in `apikey`. */
export interface Keys {
  readonly publishable: readonly string[];
  readonly secret: readonly string[];
}

export interface Jwks {
  readonly keys: readonly JsonWebKey[];
}

type Env = (name: string) => string | undefined;

export function readSettings(env: Env): Settings {
  const supabaseUrl = env("SUPABASE_URL")?.replace(/\/+$/, "");
  if (!supabaseUrl) throw new Error("SUPABASE_URL is not set");

  const secret = keysOf(
    env,
    "SUPABASE_SECRET_KEYS",
    "SUPABASE_SERVICE_ROLE_KEY",
  );
  const publishable = keysOf(
    env,
    "SUPABASE_PUBLISHABLE_KEYS",
    "SUPABASE_ANON_KEY",
  );
  const serviceKey = secret[0];
  if (serviceKey === undefined) {
    throw new Error(
      "neither SUPABASE_SECRET_KEYS nor SUPABASE_SERVICE_ROLE_KEY holds a key",
    );
  }
  return {
    supabaseUrl,
    serviceKey,
    keys: { publishable, secret },
    jwks: jwksOf(env("SUPABASE_JWKS")),
    emailPepper: env("AUDIENCE_GATE_EMAIL_PEPPER") || undefined,
    signingKey: signingKeyOf(env("AUDIENCE_GATE_SIGNING_KEY")),
    alertSecret: alertSecretOf(env("AUDIENCE_GATE_ALERT_SECRET")),
    addressHeader: env("AUDIENCE_GATE_ADDRESS_HEADER") || null,
    storeTimeoutMs: positive(env, "AUDIENCE_GATE_STORE_TIMEOUT_MS", 5000),
  };
}

/** The named keys first (`default` ahead of the others), then the legacy one. */
function keysOf(env: Env, named: string, legacy: string): string[] {
  const keys = { default: undefined, ...objectOf(env(named), named) };
  return [...Object.values(keys), env(legacy)].filter((key): key is string => typeof key === "string" && key !== "");
}

function jwksOf(text: string | undefined): Jwks | null {
  const { keys } = objectOf(text, "SUPABASE_JWKS");
  return Array.isArray(keys) && keys.length > 0 ? { keys } : null;
}

function signingKeyOf(text: string | undefined): string | null {
  if (!text) return null;
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new Error("AUDIENCE_GATE_SIGNING_KEY is not one that audience_gate.new_signing_key() returned");
}

function alertSecretOf(text: string | undefined): string | null {
  if (!text) return null;
  if (text.length >= 32) return text;
  throw new Error("AUDIENCE_GATE_ALERT_SECRET has fewer than 32 characters: take those of openssl rand -hex 32");
}

function objectOf(
  text: string | undefined,
  name: string,
): Record<string, unknown> {
  if (!text) return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) {
      return value as Record<string, unknown>;
    }
  } catch {
    // The parser's message would quote the secret: only the name is reported below.
  }
  throw new Error(`${name} is not a JSON object`);
}

function positive(env: Env, name: string, fallback: number): number {
  const text = env(name);
  if (!text) return fallback;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${name} is not a positive number`);
}
