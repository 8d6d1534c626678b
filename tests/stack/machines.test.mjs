/**
 * `npm start` on machines unlike this one: by a user who is not root, in a folder with spaces and umlauts, with the levels of
 * Node and npm that people have, and once more when the registry is gone. Only in the long form, which installs those levels.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, cpSync, mkdirSync, symlinkSync } from "node:fs";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { size } from "../long.mjs";
import { installHosts, NODES } from "../package/hosts_installed.mjs";
import { cloned, newcomer } from "./clone.mjs";
import { ingest, launch, temporaryFolder, view } from "./launch.mjs";

/** The npm that comes with each level of Node, and what the registry's archive of it must hash to. */
const MACHINES = [
  {
    node: NODES[22],
    npm: "10.9.9",
    integrity: "sha512-1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg==",
  },
  {
    node: NODES[24],
    npm: "11.21.2",
    integrity: "sha512-7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A==",
  },
];
/** The user nobody. */
const NOBODY = 65534;

const long = size({ short: 0, long: 1 }) === 1;
if (long) installHosts();

for (const { node, npm, integrity } of long ? MACHINES : []) {
  test(`npm start with npm ${npm}, by nobody, and then without a registry`, async (t) => {
    const folder = temporaryFolder(t);
    chmodSync(folder, 0o755);
    const bin = join(folder, "bin");
    mkdirSync(bin);
    const [packed] = JSON.parse(
      execFileSync("npm", ["pack", `npm@${npm}`, "--json", "--pack-destination", bin], {
        encoding: "utf8",
        stdio: "pipe",
      }),
    );
    assert.equal(packed.integrity, integrity);
    execFileSync("tar", ["-xzf", join(bin, packed.filename), "-C", bin]);
    cpSync(node, join(bin, "node"));
    symlinkSync("package/bin/npm-cli.js", join(bin, "npm"));
    chmodSync(join(bin, "package/bin/npm-cli.js"), 0o755);

    const cwd = cloned(t, folder);
    execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, cwd]);
    const home = join(folder, "home");
    mkdirSync(home);
    chownSync(home, NOBODY, NOBODY);
    const { npm_config_userconfig: _, ...inherited } = newcomer();
    const env = {
      ...inherited,
      HOME: home,
      npm_config_cache: join(home, ".npm"),
      PATH: [bin, inherited.PATH].join(delimiter),
    };
    for (const registry of [undefined, "http://127.0.0.1:9"]) {
      const stack = await launch(t, [], {
        command: ["npm", "start"],
        cwd,
        env: { ...env, ...(registry && { npm_config_registry: registry }) },
        uid: NOBODY,
      });
      assert.equal((await ingest(stack.url, view())).status, 200);
      await stack.end("SIGINT");
      t.diagnostic(`${registry ? "without a registry" : "the first time"}: ${stack.seconds.toFixed(1)} s`);
    }
  });
}
