import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { blocks } from "../docs/documents.mjs";
import { root } from "../runner/paths.mjs";

/**
 * A copy of this checkout to change, such as a developer has who edits the contract.
 *
 * @typedef {object} Checkout
 * @property {string} folder
 * @property {(diff: string) => void} apply a diff, with plain `git apply`
 * @property {(path: string, change: (text: string) => string) => void} edit a file
 * @property {(program: string, args: string[], codes?: number[]) => string} run a program in it; its output
 * @property {(...args: string[]) => string} emit `npm run emit -- …`
 * @property {() => string[]} migrations their paths, in order
 * @property {() => void} remove
 */

/** The copies share one folder of compiled dependencies, apart from that of the original checkout. */
const TARGET = join(root, "target", "changed");

/**
 * @param {string} name of a folder that is the same at every run: by it the compiler knows what it compiled before
 * @returns {Checkout}
 */
export function checkout(name) {
  const folder = join(root, "target", "checkouts", name);
  rmSync(folder, { recursive: true, force: true });
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  for (const path of listed.toString("utf8").split("\0").filter((path) => path && !path.startsWith("fuzz/seeds/"))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));

  /** @type {Checkout["run"]} */
  const run = (program, args, codes = [0]) => {
    // Without it, git would apply a diff to the repository around the folder.
    const env = { ...process.env, CARGO_TARGET_DIR: TARGET, GIT_CEILING_DIRECTORIES: dirname(folder) };
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: folder, encoding: "utf8", env });
    if (!codes.includes(status ?? -1)) {
      throw new Error(`${program} ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`);
    }
    return stdout + stderr;
  };
  return {
    folder,
    run,
    apply: (diff) => {
      writeFileSync(join(folder, "change.diff"), diff);
      run("git", ["apply", "change.diff"]);
      rmSync(join(folder, "change.diff"));
    },
    edit: (path, change) => {
      const text = readFileSync(join(folder, path), "utf8");
      const changed = change(text);
      if (changed === text) throw new Error(`${path} did not change`);
      writeFileSync(join(folder, path), changed);
    },
    emit: (...args) => run("npm", ["run", "--silent", "emit", "--", ...args]),
    migrations: () => {
      const migrations = join(folder, "supabase", "migrations");
      return readdirSync(migrations).filter((name) => name.endsWith(".sql")).sort().map((name) =>
        join(migrations, name)
      );
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The released versions, oldest first. @param {Checkout} copy @returns {{ version: string, migrations: string[] }[]} */
export function releases(copy) {
  const folder = join(copy.folder, "supabase", "contract", "releases");
  const records = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
  return records.sort((left, right) => left.version.localeCompare(right.version, "en", { numeric: true }))
    .map(({ version, migrations }) => ({ version, migrations: Object.keys(migrations) }));
}

/** Releases the current contract, unless it is released already. @param {Checkout} copy */
export function release(copy) {
  const { status } = spawnSync("npm", ["run", "--silent", "emit", "--", "--check", "--released"], {
    cwd: copy.folder,
    env: { ...process.env, CARGO_TARGET_DIR: TARGET },
  });
  if (status !== 0) copy.emit("--release", "999.0.0");
}

/** README's diff to a file. @param {string} path */
export function recipe(path) {
  const diffs = blocks("README.md").filter(({ language, text }) => language === "diff" && text.includes(`b/${path}`));
  if (diffs.length !== 1) throw new Error(`README shows ${diffs.length} diffs of ${path}`);
  return diffs[0].text;
}
