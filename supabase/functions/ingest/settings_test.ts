import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import { readSettings } from "./settings.ts";

const URL = { SUPABASE_URL: "https://project.test/" };

Deno.test("keys are taken from either generation of names, the default one first", async () => {
  const cases: {
    name: string;
    env: Record<string, string>;
    serviceKey: string;
    secret: string[];
    publishable: string[];
  }[] = [
    {
      name: "new",
      env: {
        SUPABASE_SECRET_KEYS: '{"ci":"sb_secret_ci","default":"sb_secret_default"}',
        SUPABASE_PUBLISHABLE_KEYS: '{"default":"sb_publishable_default"}',
      },
      serviceKey: "sb_secret_default",
      secret: ["sb_secret_default", "sb_secret_ci"],
      publishable: ["sb_publishable_default"],
    },
    {
      name: "legacy",
      env: {
        SUPABASE_SERVICE_ROLE_KEY: "service.jwt",
        SUPABASE_ANON_KEY: "anon.jwt",
      },
      serviceKey: "service.jwt",
      secret: ["service.jwt"],
      publishable: ["anon.jwt"],
    },
    {
      name: "both",
      env: {
        SUPABASE_SECRET_KEYS: '{"default":"sb_secret"}',
        SUPABASE_SERVICE_ROLE_KEY: "service.jwt",
      },
      serviceKey: "sb_secret",
      secret: ["sb_secret", "service.jwt"],
      publishable: [],
    },
    {
      name: "new names without a key",
      env: {
        SUPABASE_SECRET_KEYS: "{}",
        SUPABASE_SERVICE_ROLE_KEY: "service.jwt",
        SUPABASE_ANON_KEY: "",
      },
      serviceKey: "service.jwt",
      secret: ["service.jwt"],
      publishable: [],
    },
  ];
  await check(cases, ({ env, serviceKey, secret, publishable }) => {
    const settings = readSettings((name) => ({ ...URL, ...env })[name]);
    assert.deepEqual(settings.keys, { publishable, secret });
    assert.equal(settings.serviceKey, serviceKey);
    assert.equal(settings.supabaseUrl, "https://project.test");
  });
});

Deno.test("a wrong environment is named, never quoted", async () => {
  const key = { SUPABASE_SERVICE_ROLE_KEY: "hush" };
  const cases: { name: string; env: Record<string, string>; says: RegExp }[] = [
    { name: "no address", env: key, says: /SUPABASE_URL/ },
    { name: "no key", env: URL, says: /SUPABASE_SECRET_KEYS/ },
    {
      name: "keys are not JSON",
      env: { ...URL, SUPABASE_SECRET_KEYS: "hush" },
      says: /SUPABASE_SECRET_KEYS/,
    },
    {
      name: "a bad signing key",
      env: { ...URL, ...key, AUDIENCE_GATE_SIGNING_KEY: "hush" },
      says: /AUDIENCE_GATE_SIGNING_KEY/,
    },
    {
      name: "a short secret of alerts",
      env: { ...URL, ...key, AUDIENCE_GATE_ALERT_SECRET: "hush" },
      says: /AUDIENCE_GATE_ALERT_SECRET/,
    },
    {
      name: "a bad number",
      env: { ...URL, ...key, AUDIENCE_GATE_STORE_TIMEOUT_MS: "soon" },
      says: /STORE_TIMEOUT_MS/,
    },
    {
      name: "a bad key set",
      env: { ...URL, ...key, SUPABASE_JWKS: "hush" },
      says: /SUPABASE_JWKS/,
    },
  ];
  await check(
    cases,
    ({ env, says }) =>
      assert.throws(
        () => readSettings((name) => env[name]),
        (error: Error) => says.test(error.message) && !error.message.includes("hush"),
      ),
  );
});

Deno.test("the signing keys are optional", () => {
  const read = (jwks: string) =>
    readSettings((name) =>
      ({
        ...URL,
        SUPABASE_ANON_KEY: "a",
        SUPABASE_SERVICE_ROLE_KEY: "s",
        SUPABASE_JWKS: jwks,
      })[name]
    );
  assert.equal(read("").jwks, null);
  assert.equal(read('{"keys":[]}').jwks, null);
  assert.deepEqual(read('{"keys":[{"kid":"1"}]}').jwks, {
    keys: [{ kid: "1" }],
  });
});
