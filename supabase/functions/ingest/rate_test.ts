import assert from "node:assert/strict";
import { check } from "../../../tests/function/check.ts";
import { addressOf, RateKeys } from "./rate.ts";

const NOON = Date.parse("2026-11-21T12:00:00Z");
const VISITOR = { kind: "visitor", id: null } as const;
const USER = {
  kind: "user",
  id: "7d9f5a4e-3c1b-4f0a-9b3e-2a6d1c8e4f50",
} as const;
const TRUSTED = { kind: "trusted", id: null } as const;

async function keys(
  address: string | null,
  caller: typeof VISITOR | typeof USER | typeof TRUSTED,
  now = NOON,
  serviceKey = "sb_secret_one",
): Promise<{ key: string; scope: string }[]> {
  const rate = await new RateKeys(serviceKey).forRequest(address, caller, now);
  return rate === undefined ? [] : JSON.parse(rate).keys;
}

Deno.test("who is counted, under which scopes", async () => {
  const cases = [
    {
      name: "visitor",
      address: "192.0.2.1",
      caller: VISITOR,
      scopes: ["address"],
    },
    {
      name: "visitor without an address",
      address: null,
      caller: VISITOR,
      scopes: [],
    },
    {
      name: "user",
      address: "192.0.2.1",
      caller: USER,
      scopes: ["address", "caller"],
    },
    {
      name: "trusted",
      address: "192.0.2.1",
      caller: TRUSTED,
      scopes: [],
    },
  ];
  await check(cases, async ({ address, caller, scopes }) => {
    const counted = await keys(address, caller);
    assert.deepEqual(counted.map(({ scope }) => scope), scopes);
    for (const { key } of counted) assert.match(key, /^[0-9a-f]{64}$/);
  });
});

Deno.test("which addresses share a key", async () => {
  const key = async (address: string, now = NOON, serviceKey?: string) =>
    (await keys(address, VISITOR, now, serviceKey))[0]?.key;
  const base = await key("2001:db8:1:2::1");
  const cases = [
    {
      name: "one network, written short and long",
      key: await key("2001:0db8:0001:0002:ffff:0:0:9"),
      same: true,
    },
    { name: "with a zone", key: await key("2001:db8:1:2::5%eth0"), same: true },
    { name: "upper case", key: await key("2001:DB8:1:2::5"), same: true },
    {
      name: "the network beside it",
      key: await key("2001:db8:1:3::1"),
      same: false,
    },
    {
      name: "the next day",
      key: await key("2001:db8:1:2::1", NOON + 86_400_000),
      same: false,
    },
    {
      name: "another project",
      key: await key("2001:db8:1:2::1", NOON, "sb_secret_two"),
      same: false,
    },
    {
      name: "later that day",
      key: await key("2001:db8:1:2::1", NOON + 3_600_000),
      same: true,
    },
  ];
  await check(
    cases,
    (oneCase) => assert.equal(oneCase.key === base, oneCase.same),
  );
  assert.notEqual(await key("192.0.2.1"), await key("192.0.2.2"));
});

Deno.test("one instance moves on to the next day's key", async () => {
  const rate = new RateKeys("sb_secret_one");
  const days = [0, 0, 1].map((day) => rate.forRequest("192.0.2.1", VISITOR, NOON + day * 86_400_000));
  const [first, again, next] = await Promise.all(days);
  assert.equal(first, again);
  assert.notEqual(first, next);
});

Deno.test("the address is the one a caller cannot write", async () => {
  const cases: {
    name: string;
    headers: HeadersInit;
    trusted?: string;

    is: string | null;
  }[] = [
    { name: "none", headers: {}, is: null },
    {
      name: "the last hop",
      headers: { "x-forwarded-for": "6.6.6.6, 192.0.2.1" },
      is: "192.0.2.1",
    },
    {
      name: "headers that a caller may write himself",
      headers: { "x-forwarded-for": "192.0.2.1", "x-real-ip": "6.6.6.6", "cf-connecting-ip": "6.6.6.6" },
      is: "192.0.2.1",
    },
    {
      name: "nothing but those",
      headers: { "x-real-ip": "6.6.6.6", "cf-connecting-ip": "6.6.6.6" },
      is: null,
    },
    {
      name: "the edge's own header, where it is named",
      headers: { "x-forwarded-for": "6.6.6.6", "cf-connecting-ip": "192.0.2.1" },
      trusted: "cf-connecting-ip",
      is: "192.0.2.1",
    },
    {
      name: "only the trusted one",
      headers: { "cf-connecting-ip": "6.6.6.6", "x-edge": "192.0.2.1" },
      trusted: "x-edge",
      is: "192.0.2.1",
    },
    {
      name: "the trusted one missing",
      headers: { "cf-connecting-ip": "6.6.6.6" },
      trusted: "x-edge",
      is: null,
    },
  ];
  await check(
    cases,
    ({ headers, trusted = null, is }) => assert.equal(addressOf(new Headers(headers), trusted), is),
  );
});
