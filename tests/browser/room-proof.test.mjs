// An event is proven in the browser of whoever reads it, on the real local stack.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { complaints, launch, LOOKS, overflow, violations } from "./pages.mjs";

const WAIT = { timeout: 120_000 };
const NAME = "example.com/events";
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-room-proof-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param {string} text @param {unknown[]} parameters @returns {Promise<Record<string, any>[]>} */
const sql = async (text, ...parameters) => (await stack.database.query(text, parameters)).rows;

/** A key, as `audience-gate seal key` makes one, and what signs with it, as `seal sign` does. */
function signer() {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = Buffer.concat([Buffer.of(1), publicKey.export({ format: "der", type: "spki" }).subarray(-32)]);
  const id = createHash("sha256").update(`${NAME}\n`).update(key).digest().subarray(0, 4);
  return {
    verifier: `${NAME}+${id.toString("hex")}+${key.toString("base64")}`,
    note: (/** @type {number} */ size, /** @type {Uint8Array} */ root) => {
      const text = `${NAME}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString("base64");
      return `${text}\n\u2014 ${NAME} ${signature}\n`;
    },
  };
}

test("an event is proven from a checkpoint, and nothing is proven by another key or of a changed row", async (t) => {
  const { verifier, note } = signer();
  const [{ id }] = await sql(
    "select id from public.audience_events where contract is not null order by created_at desc limit 1",
  );
  const context = await browser.newContext({ ...LOOKS[0], reducedMotion: "reduce" });
  t.after(() => context.close());
  const page = await context.newPage();
  const said = complaints(page);
  await page.goto(`${stack.url}/dashboard/?view=explore&event=${id}`);
  await page.getByLabel("E-mail").fill("demo@example.test");
  await page.getByLabel("Password").fill("demo-password");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Is this what was recorded?").click(WAIT);
  const told = async (/** @type {string} */ key) => {
    await page.getByLabel("Public key of whoever signs the checkpoints").fill(key);
    await page.getByRole("button", { name: "Prove this event" }).click();
    const status = page.locator("details [role=status]");
    await status.filter({ hasText: /^(It|Proven|The)/ }).waitFor(WAIT);
    return await status.innerText();
  };
  assert.match(await told(verifier), /^It is not sealed, or no checkpoint was signed since\.$/);

  await sql("select audience_gate.start_sealing()");
  for (let rows = 1; rows > 0;) {
    rows = (await sql("select (audience_gate.seal_rows('{}') ->> 'sealed')::int as rows"))[0]?.rows;
  }
  const [{ size, root }] = await sql("select size::int, root from audience_gate.seal order by size desc limit 1");
  await sql("insert into audience_gate.checkpoint (size, note) values ($1, $2)", size, note(size, root));
  assert.match(
    await told(verifier),
    new RegExp(`^Proven: .* of the ${size.toLocaleString("en")} under a checkpoint of ${NAME}\\.`),
  );
  assert.match(await told(signer().verifier), /^It proves nothing: its checkpoint is not signed by that key$/);
  assert.match(await told("no key"), /^It proves nothing: that is not a public key/);
  assert.deepEqual([...await violations(page), ...await overflow(page), ...said], []);

  await sql("alter table public.audience_events disable trigger user");
  await sql("update public.audience_events set event_source = 'another' where id = $1", id);
  await sql("alter table public.audience_events enable trigger user");
  assert.match(
    await told(verifier),
    /^It proves nothing: its path does not lead to the root of the checkpoint$|^The proof/,
  );
});
