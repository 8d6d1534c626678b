import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { check } from "../../../tests/function/check.ts";
import {
  answered,
  event,
  json,
  KEYS,
  ORIGIN,
  OWN_SITE,
  REGISTRY,
  request,
  type Scene,
  scene,
  type Sent,
  USER,
  USER_TOKEN,
} from "../../../tests/function/scene.ts";

const SECRET = KEYS.secret[0] ?? "";
const good = event();
const system = event({
  event_type: "page_error",
  event_category: "system",
  metadata: {
    validation_rule_id: "r",
    validation_result: "rejected",
    source_system: "s",
  },
});
Deno.test("every trust level is held to what it may send", async () => {
  const other = "99999999-9999-4999-8999-999999999999";
  const user = { headers: { authorization: `Bearer ${USER_TOKEN}` } };
  const trusted = { apikey: SECRET };
  const cases: {
    name: string;
    as: Sent;
    event: Record<string, unknown>;
    rule?: string;
    userId?: string | null;
  }[] = [
    { name: "a visitor, nobody", as: {}, event: good, userId: null },
    {
      name: "a visitor as somebody",
      as: {},
      event: event({ user_id: USER }),
      rule: "identity.user_id",
    },
    {
      name: "a visitor, system",
      as: {},
      event: system,
      rule: "system.trusted_caller",
    },
    { name: "a user, unsaid", as: user, event: good, userId: USER },
    {
      name: "a user as themselves",
      as: user,
      event: event({ user_id: USER }),
      userId: USER,
    },
    {
      name: "a user as nobody",
      as: user,
      event: event({ user_id: null }),
      userId: null,
    },
    {
      name: "a user as somebody else",
      as: user,
      event: event({ user_id: other }),
      rule: "identity.user_id",
    },
    {
      name: "a user, system",
      as: user,
      event: system,
      rule: "system.trusted_caller",
    },
    {
      name: "trusted, for anybody",
      as: trusted,
      event: event({ user_id: other }),
      userId: other,
    },
    { name: "trusted, system", as: trusted, event: system, userId: null },
    {
      name: "a user's token beside a secret key",
      as: { ...trusted, ...user },
      event: event({ user_id: other }),
      rule: "identity.user_id",
    },
  ];
  await check(cases, async ({ as, event, rule, userId }) => {
    const { body, batches } = await answered({ ...json(event), ...as });
    assert.equal(body.results[0].rule_id, rule);
    if (rule === undefined) {
      assert.equal(batches[0]?.accepted[0]?.user_id ?? null, userId);
    }
  });
});

Deno.test("what the store is told about the caller", async () => {
  const user = { authorization: `Bearer ${USER_TOKEN}` };
  const cases: {
    name: string;
    sent: Sent;
    told: Record<string, unknown>;
    scopes: string[] | null;
  }[] = [
    {
      name: "a visitor in a browser",
      sent: { headers: { origin: ORIGIN, "x-forwarded-for": "192.0.2.1" } },
      told: {
        caller: "visitor",
        caller_id: null,
        origin: ORIGIN,
        dry_run: false,
        registry: "7",
      },
      scopes: ["address"],
    },
    {
      name: "a user",
      sent: { headers: { ...user, "x-forwarded-for": "192.0.2.1" } },
      told: { caller: "user", caller_id: USER, origin: null },
      scopes: ["address", "caller"],
    },
    {
      name: "trusted",
      sent: { apikey: SECRET },
      told: { caller: "trusted", caller_id: null },
      scopes: null,
    },
    {
      name: "dry run",
      sent: { path: "/ingest?dry_run=1" },
      told: { dry_run: true },
      scopes: [],
    },
    {
      name: "dry run without a value",
      sent: { path: "/ingest?dry_run" },
      told: { dry_run: true },
      scopes: [],
    },
    {
      name: "no dry run",
      sent: { path: "/ingest?dry_run=0" },
      told: { dry_run: false },
      scopes: [],
    },
    {
      name: "after the platform's path",
      sent: { path: "/functions/v1/ingest/" },
      told: { caller: "visitor" },
      scopes: [],
    },
  ];
  await check(cases, async ({ sent, told, scopes }) => {
    const { batches, text } = await answered({
      ...json(good),
      ...sent,
      body: JSON.stringify(good),
    });
    const batch = batches[0];
    assert.ok(batch, text);
    for (const [name, value] of Object.entries(told)) {
      assert.deepEqual(batch[name as "caller"], value, name);
    }
    assert.deepEqual(
      batch.rate && batch.rate.keys.map(({ scope }) => scope),
      scopes,
    );
    assert.ok(!JSON.stringify(batch).includes("192.0.2.1"));
  });
});

Deno.test("an address has one stored value, whether it is sent or its hash", async () => {
  const plain = createHash("sha256").update("jo@example.test").digest("hex");
  const keyed = createHmac("sha256", "pepper").update(plain).digest("hex");
  const subscribe = (metadata: object, more: object = {}) =>
    event({
      event_type: "email_subscribe",
      event_category: "subscription",
      metadata: { channel: "web", consent_recorded: true, ...metadata },
      ...more,
    });
  const address = subscribe({}, { email: "Jo@Example.test" });
  const hash = subscribe({ email_hash: plain });
  const claimed = subscribe({ email_hash: plain, email_hash_kind: "hmac-sha256" });
  const again = subscribe({ email_hash: keyed, email_hash_kind: "hmac-sha256" });
  const user = { headers: { authorization: `Bearer ${USER_TOKEN}` } };
  const trusted = { apikey: SECRET };
  const none = { emailPepper: undefined, stored: plain };
  const some = { emailPepper: "pepper", stored: keyed, kind: "hmac-sha256" };
  const cases: {
    name: string;
    as?: Sent;
    sent: Record<string, unknown>;
    emailPepper: string | undefined;
    stored: string;
    kind?: string;
  }[] = [
    { name: "the address, no pepper", sent: address, ...none, kind: "sha256" },
    { name: "its hash, no pepper", sent: hash, ...none },
    { name: "the address", sent: address, ...some },
    { name: "its hash", sent: hash, ...some },
    { name: "its hash, called keyed", sent: claimed, ...some },
    { name: "a user's address", as: user, sent: address, ...some },
    { name: "a user's hash", as: user, sent: hash, ...some },
    { name: "a back end's address", as: trusted, sent: address, ...some },
    { name: "a back end's hash", as: trusted, sent: hash, ...some },
    { name: "a back end's keyed hash", as: trusted, sent: again, ...some },
  ];
  await check(cases, async ({ as, sent, emailPepper, stored, kind }) => {
    const { handle, batches, lines } = scene({ emailPepper });
    const response = await handle(request({ ...json(sent), ...as }));
    const text = await response.text();
    assert.equal(response.status, 200, text);
    const { email_hash, email_hash_kind } = batches[0]?.accepted[0]?.metadata as Record<string, string>;
    assert.deepEqual([email_hash, email_hash_kind], [stored, kind]);
    assert.doesNotMatch(JSON.stringify([batches, lines, text]), /jo@example/i);
    if (emailPepper) assert.ok(!JSON.stringify([batches, lines, text]).includes(plain));
  });
});

Deno.test("with a pepper, nothing that is recorded of a refused event shows a hash that anybody can make", async () => {
  const plain = createHash("sha256").update("jo@example.test").digest("hex");
  const keyed = createHmac("sha256", "pepper").update(plain).digest("hex");
  const refused = (email_hash: unknown) => event({ session_id: "short", metadata: { page_path: "/", email_hash } });
  const told = (email_hash: unknown) => [{
    violations: [{ rule_id: "sanity.session_id_length", path: "/session_id" }],
    event: refused(email_hash),
  }];
  const recorded = ({ batches, reports }: Scene) => {
    const row = batches[0]?.rejected[0] as { metadata: { original_payload_snapshot: unknown } } | undefined;
    const [report] = reports[0]?.reports as { event: unknown }[] ?? [];
    return (row?.metadata.original_payload_snapshot ?? report?.event) as { metadata: Record<string, unknown> };
  };
  const cases = ["/ingest", "/ingest/reports"].flatMap((path) =>
    [
      { path, sent: plain, emailPepper: undefined, kept: plain, kind: undefined },
      { path, sent: plain, emailPepper: "pepper", kept: keyed, kind: "hmac-sha256" },
      { path, sent: plain.toUpperCase(), emailPepper: "pepper", kept: "[redacted:personal]", kind: undefined },
      { path, sent: 7, emailPepper: "pepper", kept: 7, kind: undefined },
    ].map((one) => ({ name: `${path} ${one.sent} ${one.emailPepper}`, ...one }))
  );
  await check(cases, async ({ path, sent, emailPepper, kept, kind }) => {
    const at = scene({ emailPepper });
    await (await at.handle(request({ path, ...json(path === "/ingest" ? refused(sent) : told(sent)) }))).text();
    const { metadata } = recorded(at);
    assert.deepEqual([metadata["email_hash"], metadata["email_hash_kind"]], [kept, kind]);
  });
});

Deno.test("a browser's event is held to its own site's origins", async () => {
  const cases = [
    {
      name: "the site's own",
      origin: ORIGIN,
      site_id: OWN_SITE,
      status: 200,
      cors: ORIGIN,
    },
    {
      name: "another's",
      origin: "https://evil.example",
      site_id: OWN_SITE,
      status: 422,
      cors: "https://evil.example",
    },
    {
      name: "the open site",
      origin: "https://evil.example",
      site_id: undefined,
      status: 200,
      cors: "https://evil.example",
    },
    {
      name: "no browser",
      origin: undefined,
      site_id: OWN_SITE,
      status: 200,
      cors: null,
    },
  ];
  await check(cases, async ({ origin, site_id, status, cors }) => {
    const { response, text } = await answered({
      ...json(event({ site_id })),
      headers: origin === undefined ? {} : { origin },
    });
    assert.equal(response.status, status, text);
    assert.equal(response.headers.get("access-control-allow-origin"), cors);
    assert.equal(response.headers.get("vary"), "Origin");
  });
});

Deno.test("without a registry nothing waits: the database is told to judge", async () => {
  let release = (_: string) => {};
  const late = scene();
  late.registry = () => new Promise((resolve) => release = resolve);
  const response = await late.handle(request(json(good)));
  assert.equal(response.status, 200);
  await response.body?.cancel();
  assert.equal(late.batches.length, 1);
  release(JSON.stringify(REGISTRY));
  await late.settled();
});
