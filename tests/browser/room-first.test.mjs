// What the first screen of the dashboard weighs and how it arrives: in bytes as they are sent, and in what moves on it.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { freePort } from "../../local/ports.mjs";
import { startStack } from "../../local/stack.mjs";
import { begunWithDemo } from "../stack/beginning.mjs";
import { complaints, launch, LOOKED, LOOKS } from "./pages.mjs";

const WAIT = { timeout: 120_000 };
/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof startStack>>} */
let stack;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "audience-gate-first-"));
  browser = await launch();
  await begunWithDemo(folder);
  stack = await startStack({ folder, port: await freePort() });
});
after(async () => {
  await browser?.close();
  await stack?.close();
  await rm(folder, { recursive: true, force: true });
});

/** @param {import("node:test").TestContext} t @param {import("./pages.mjs").Look} look */
async function fresh(t, look) {
  const context = await browser.newContext({ ...look, reducedMotion: "reduce" });
  t.after(() => context.close());
  return context.newPage();
}

/** @param {import("playwright-core").Page} page */
async function signIn(page) {
  await page.goto(`${stack.url}/dashboard/`);
  await page.getByRole("button", { name: "Fill in" }).click();
  await page.keyboard.press("Enter");
  await loaded(page);
}

/** @param {import("playwright-core").Page} page */
async function loaded(page) {
  await page.waitForSelector("main[data-loaded]", WAIT);
  await page.waitForFunction(() => !document.querySelector(".panel[aria-busy=true]"), undefined, WAIT);
}

test("the first screen, with every chart drawn, is 90,000 bytes at most beside the fonts", async (t) => {
  const page = await fresh(t, LOOKS[0]);
  await signIn(page);
  /** @type {Map<string, Promise<number>>} */
  const sent = new Map();
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (!pathname.startsWith("/dashboard/") || /\.woff2$/.test(pathname)) return;
    sent.set(pathname, response.body().then((body) => brotliCompressSync(body).length));
  });
  await page.goto(`${stack.url}/dashboard/`);
  await loaded(page);
  const sizes = await Promise.all([...sent].map(async ([name, size]) => [name, await size]));
  const bytes = sizes.reduce((sum, [, size]) => sum + Number(size), 0);
  t.diagnostic(`${bytes} bytes: ${sizes.map((one) => one.join(" ")).join(", ")}`);
  assert.ok(sizes.some(([name]) => /board/.test(String(name))), "the board is among what was sent");
  assert.ok(bytes <= 90_000, `${bytes} bytes`);
});

for (const look of LOOKS.filter(({ name }) => name.endsWith("light"))) {
  test(`nothing moves when numbers and charts arrive: ${look.name}`, async (t) => {
    const page = await fresh(t, look);
    await signIn(page);
    await page.addInitScript(() => {
      /** @type {{ value: number, what: string[] }[]} */
      const shifts = [];
      Object.assign(globalThis, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of /** @type {any[]} */ (list.getEntries())) {
          shifts.push({
            value: entry.value,
            what: entry.sources.map((/** @type {any} */ { node }) =>
              node?.closest?.("[id]")?.id ?? node?.parentElement?.closest("[id]")?.id ?? "?"
            ),
          });
        }
      }).observe({ type: "layout-shift", buffered: true });
    });
    await page.goto(`${stack.url}/dashboard/`);
    await loaded(page);
    const shifts = await page.evaluate(() => /** @type {any} */ (globalThis).shifts);
    const all = shifts.reduce((/** @type {number} */ sum, /** @type {any} */ { value }) => sum + value, 0);
    t.diagnostic(`${all.toFixed(3)}: ${JSON.stringify(shifts)}`);
    // What browsers call good is a tenth; this is a quarter of that.
    assert.ok(all <= 0.025, `${all} by ${JSON.stringify(shifts)}`);
  });
}

/**
 * What a saved picture holds: its size, the colour of its corner, and how much of it has one of these colours.
 *
 * @param {import("playwright-core").Page} page @param {string} file @param {string[]} names of colours of the theme
 */
async function pictured(page, file, names) {
  const url = `data:image/png;base64,${(await readFile(file)).toString("base64")}`;
  return page.evaluate(async ({ url, names }) => {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [image.width, image.height];
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    /** The channels of any colour that CSS knows. @param {string} colour */
    const channels = (colour) => {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).join();
    };
    const counts = new Map();
    for (let at = 0; at < data.length; at += 4) {
      const key = `${data[at]},${data[at + 1]},${data[at + 2]}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const probe = document.body.appendChild(document.createElement("i"));
    /** A colour of the theme as it is now. @param {string} name */
    const theme = (name) => {
      probe.style.color = `var(${name})`;
      return channels(getComputedStyle(probe).color);
    };
    return {
      width: image.width,
      corner: [...data.slice(0, 3)].join(),
      ground: theme("--surface"),
      shares: names.map((name) => (counts.get(theme(name)) ?? 0) / (data.length / 4)),
    };
  }, { url, names });
}

for (const look of LOOKED) {
  test(`every panel is saved as a picture of what it shows: ${look.name}`, async (t) => {
    const page = await fresh(t, look);
    const said = complaints(page);
    await signIn(page);
    await page.$$eval("details", (all) => all.forEach((details) => details.setAttribute("open", "")));
    const buttons = page.getByRole("button", { name: /^Save as PNG: / });
    const titles = await page.$$eval(".panel h3", (all) => all.map((title) => title.textContent));
    assert.equal(await buttons.count(), titles.length, "one for each panel");
    for (
      const [panel, colours] of /** @type {const} */ ([
        ["Engagement by tier", ["--tier-consumer", "--ink"]],
        ["At a glance", ["--pine", "--ink"]],
        ["Campaigns", ["--sunken", "--ink"]],
        ["Refused, by rule", ["--madder-wash", "--ink"]],
      ])
    ) {
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: `Save as PNG: ${panel}` }).click(),
      ]);
      assert.match(file.suggestedFilename(), /^[a-z-]+\.png$/);
      const { width, corner, ground, shares } = await pictured(page, await file.path(), [...colours]);
      assert.ok(width > 600, `${panel} is ${width} wide`);
      assert.equal(corner, ground, `${panel} has the ground of the theme`);
      for (const [at, share] of shares.entries()) {
        assert.ok(share > 0.0005, `${panel}: ${colours[at]} is ${share} of it`);
      }
      await file.saveAs(
        fileURLToPath(
          new URL(`../../.local/screenshots/png-${look.name}-${file.suggestedFilename()}`, import.meta.url),
        ),
      );
    }
    assert.deepEqual(said, [], "under the policy that the page is served with");
  });
}

test("states are shown as the install has them: renamed, added, in its order", async (t) => {
  const { query } = stack.database;
  await query("update public.audience_states set name = 'Member' where id = 'S3'");
  await query(
    "insert into public.audience_states (id, name, meaning, rank, min_score) values ('founder', 'Founder', 'was there first', 6, 500)",
  );
  await query(
    `select public.audience_set_state('00000000-0000-4000-8000-000000000001', s.user_id, 'founder')
     from public.audience_state s where s.current_state = 'S5' order by s.user_id limit 1`,
  );
  const page = await fresh(t, LOOKS[0]);
  await signIn(page);
  const panel = page.locator("#states");
  await panel.scrollIntoViewIfNeeded();
  assert.deepEqual(await panel.locator(".legend li").allInnerTexts(), [
    ...["S0 unknown", "S1 aware", "S2 engaged", "S3 Member", "S4 committed", "S5 advocate", "founder Founder"],
  ]);
  await panel.getByText("As a table").click();
  assert.equal((await panel.locator("tbody tr").last().locator("td").allInnerTexts()).at(-1), "1");
});
