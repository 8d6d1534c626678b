import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { check } from "../../../tests/function/check.ts";
import { ALLOWED_HEADERS, preflight } from "./cors.ts";

const site = (origins: string[] | null) => ({
  id: crypto.randomUUID(),
  origins,
});
const registry = (...sites: ReturnType<typeof site>[]) => ({
  version: "1",
  default_site: "",
  sites,
});
const OWN = "https://own.example";

Deno.test("a browser is let in where a site names its origin", async () => {
  const cases = [
    {
      name: "named",
      origin: OWN,
      registry: registry(site([OWN])),
      allowed: true,
    },
    {
      name: "named by another site",
      origin: OWN,
      registry: registry(site([]), site([OWN])),
      allowed: true,
    },
    {
      name: "not named",
      origin: OWN,
      registry: registry(site(["https://other.example"])),
      allowed: false,
    },
    {
      name: "another scheme",
      origin: "http://own.example",
      registry: registry(site([OWN])),
      allowed: false,
    },
    {
      name: "a longer name",
      origin: "https://own.example.evil.test",
      registry: registry(site([OWN])),
      allowed: false,
    },
    {
      name: "a site open to all",
      origin: OWN,
      registry: registry(site([]), site(null)),
      allowed: true,
    },
    { name: "no site", origin: OWN, registry: registry(), allowed: false },
    { name: "no registry yet", origin: OWN, registry: null, allowed: true },
    {
      name: "not a browser",
      origin: null,
      registry: registry(site(null)),
      allowed: false,
    },
  ];
  await check(cases, ({ origin, registry, allowed }) => {
    const { status, headers } = preflight(origin, registry);
    assert.equal(status, 204);
    assert.equal(
      headers.get("access-control-allow-origin"),
      allowed ? origin : null,
    );
    assert.equal(headers.has("access-control-allow-headers"), allowed);
    assert.equal(headers.get("vary"), "Origin");
    assert.equal(headers.has("access-control-allow-credentials"), false);
  });
});

Deno.test("every header that supabase-js sends is allowed", async () => {
  const source = await readFile(
    new URL(
      "../../../node_modules/@supabase/supabase-js/dist/cors.mjs",
      import.meta.url,
    ),
    "utf8",
  );
  const sent = [...source.matchAll(/"([a-z][a-z-]+)"/g)].map(([, name]) => name ?? "");
  assert.ok(sent.includes("authorization") && sent.includes("apikey"));
  assert.deepEqual(sent.filter((name) => !ALLOWED_HEADERS.includes(name)), []);
});
