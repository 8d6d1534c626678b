/** The local stack with its demo site, a browser in which its owner is signed in, and a hand that counts what it does. */
import { createHash, createHmac, generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, listen } from "../../local/ports.mjs";
import { alertSecret, demoUser } from "../../local/settings.mjs";
import { startStack } from "../../local/stack.mjs";

export const SITE = "00000000-0000-4000-8000-000000000001";
export const COLLEAGUE = { email: "colleague@example.test", password: "colleague-password" };
const WAIT = { timeout: 30_000 };
/** The phone is the narrowest that is still sold. */
const DESKTOP = { width: 1280, height: 900 };

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Locator} Locator */
/** @typedef {{ clicks: number, fields: number }} Count */
/** @typedef {Awaited<ReturnType<typeof scene>>} Scene */
/** @typedef {ReturnType<typeof hand>} Hand */

/** @param {import("playwright-core").Browser} browser */
export async function scene(browser) {
  const folder = await mkdtemp(join(tmpdir(), "audience-gate-tasks-"));
  const stack = await startStack({ folder, port: await freePort() });
  /** @type {{ body: string, headers: import("node:http").IncomingHttpHeaders }[]} */
  const received = [];
  const receiver = createServer(async (request, response) => {
    received.push({ body: Buffer.concat(await request.toArray()).toString("utf8"), headers: request.headers });
    response.writeHead(200).end();
  });
  const receiverPort = await listen(receiver, await freePort(), { exactly: true });
  /** @param {string} text @param {unknown[]} parameters @returns {Promise<any>} the first value of the first row */
  const value = async (text, ...parameters) => {
    const { rows: [row] } = await stack.database.query(text, parameters);
    return row === undefined ? undefined : Object.values(row)[0];
  };
  const signUp = await fetch(`${stack.url}/auth/v1/signup`, {
    method: "POST",
    headers: { apikey: stack.publishableKey, "content-type": "application/json" },
    body: JSON.stringify(COLLEAGUE),
  });
  const { user } = await signUp.json();

  /** A page in which somebody is signed in, at the figures. @param {{ email: string, password: string }} who */
  const signedIn = async (who) => {
    const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: "reduce", colorScheme: "light" });
    const page = await context.newPage();
    await page.goto(`${stack.url}/dashboard/`);
    await page.getByLabel("E-mail").fill(who.email);
    await page.getByLabel("Password").fill(who.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    return page;
  };
  return {
    url: stack.url,
    value,
    exec: stack.database.exec,
    colleague: String(user.id),
    received,
    webhook: `http://127.0.0.1:${receiverPort}/alerts`,
    owner: () => signedIn(demoUser),
    signedIn,
    /** What a back end sends. @param {object} event @returns {Promise<string>} what became of it */
    send: async (event) => {
      const response = await fetch(`${stack.url}/functions/v1/ingest`, {
        method: "POST",
        headers: { apikey: stack.secretKey, "content-type": "application/json" },
        body: JSON.stringify({ session_id: `session-${crypto.randomUUID()}`, event_source: "web", ...event }),
      });
      return (await response.json()).results[0].status;
    },
    /** Sends the messages that are due, as the platform's schedule does. */
    sendAlerts: () =>
      fetch(`${stack.url}/functions/v1/ingest/alerts`, { method: "POST", headers: { apikey: stack.secretKey } }),
    close: async () => {
      receiver.close();
      await stack.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A hand that counts its clicks, choices of a list and keys among them, and the fields that it fills. @param {Page} page */
export function hand(page) {
  /** @type {Count} */
  const count = { clicks: 0, fields: 0 };
  const main = page.locator("main");
  return {
    count,
    /** @param {Locator} what */
    click: async (what) => {
      count.clicks += 1;
      await what.click(WAIT);
    },
    /** @param {Locator} what @param {string} option */
    choose: async (what, option) => {
      count.clicks += 1;
      await what.selectOption(option, WAIT);
    },
    /** @param {Locator} what @param {string} text */
    fill: async (what, text) => {
      count.fields += 1;
      await what.fill(text, WAIT);
    },
    /** @param {string} key */
    press: async (key) => {
      count.clicks += 1;
      await page.keyboard.press(key);
    },
    /** Waits for what somebody reads. @param {string | RegExp | Locator} what @returns {Promise<string>} */
    read: async (what) => {
      const there = typeof what === "string" || what instanceof RegExp ? main.getByText(what).first() : what;
      await there.waitFor(WAIT);
      return (await there.innerText()).trim();
    },
  };
}

/** Whether a message of an alert is signed with the secret of the stack. @param {{ body: string, headers: import("node:http").IncomingHttpHeaders }} message */
export function signedRight({ body, headers }) {
  const text = `${headers["audience-gate-timestamp"]}.${body}`;
  return headers["audience-gate-signature"] === `v1=${createHmac("sha256", alertSecret).update(text).digest("hex")}`;
}

/** A key, as `audience-gate seal key` makes one, and what signs a checkpoint with it, as `seal sign` does. */
export function signer(name = "example.com/events") {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const key = Buffer.concat([Buffer.of(1), publicKey.export({ format: "der", type: "spki" }).subarray(-32)]);
  const id = createHash("sha256").update(`${name}\n`).update(key).digest().subarray(0, 4);
  return {
    verifier: `${name}+${id.toString("hex")}+${key.toString("base64")}`,
    note: (/** @type {number} */ size, /** @type {Uint8Array} */ root) => {
      const text = `${name}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
      const signature = Buffer.concat([id, sign(null, Buffer.from(text), privateKey)]).toString("base64");
      return `${text}\n\u2014 ${name} ${signature}\n`;
    },
  };
}
