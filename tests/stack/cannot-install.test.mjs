/** If nothing can be installed, the two commands say so within seconds, and say what to do. */
import assert from "node:assert/strict";
import { chmodSync, existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { cloned, newcomer, pathOf, watch } from "./clone.mjs";
import { temporaryFolder, within } from "./launch.mjs";

const env = newcomer();

/**
 * A server that takes every connection and treats it as the test says.
 *
 * @param {import("node:test").TestContext} t @param {(socket: import("node:net").Socket) => void} each
 */
async function registry(t, each) {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    each(socket);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
}

test("without a network, npm start and npm test say within seconds that packages are missing", async (t) => {
  const registries = {
    refuses: await registry(t, (socket) => socket.destroy()),
    "never answers": await registry(t, () => {}),
  };
  const wrong = await Promise.all(
    Object.entries(registries).flatMap(([name, url]) =>
      ["start", "test"].map(async (command) => {
        // A clone each, because npm itself fails now and then if two of it install into one folder.
        const cwd = cloned(t);
        const { code, said, seconds } = await watch(t, ["npm", command], {
          cwd,
          env: { ...env, npm_config_registry: url, npm_config_cache: temporaryFolder(t) },
        });
        t.diagnostic(`npm ${command}, a registry that ${name}: ${seconds.toFixed(1)} s`);
        const right = code !== 0 && /registry cannot be reached .*run the same command again/.test(said) &&
          seconds < within(60);
        return right ? [] : [`npm ${command}, a registry that ${name}: ${code} after ${seconds} s\n${said}`];
      })
    ),
  );
  assert.deepEqual(wrong.flat(), []);
});

test("without Rust, npm test says so before it installs anything", async (t) => {
  const cwd = cloned(t);
  const { code, said } = await watch(t, ["npm", "test"], {
    cwd,
    env: { ...env, PATH: pathOf(t, "node", "npm", "sh") },
  });
  assert.deepEqual([code, /the tests need Rust \(https:\/\/rustup\.rs\)/.test(said)], [2, true], said);
  assert.ok(!existsSync(join(cwd, "node_modules")));
});

test("a checkout that cannot be written to says what to do instead", async (t) => {
  const cwd = cloned(t);
  // Root may write anywhere, so the user nobody tries instead.
  const uid = process.getuid?.() === 0 ? 65534 : undefined;
  chmodSync(dirname(cwd), 0o755);
  chmodSync(cwd, 0o555);
  const { code, said } = await watch(t, ["node", "local/start.mjs"], { cwd, env, uid });
  chmodSync(cwd, 0o755);
  assert.deepEqual([code, /cannot be written to; copy the checkout to a folder of yours/.test(said)], [1, true], said);
});
