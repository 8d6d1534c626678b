import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../local/command.mjs";
import { root } from "./paths.mjs";

/**
 * Python environments with the packages of a requirements file. They are never installed into the system, and are kept
 * between runs in a folder named after what is to be in it.
 */
const ENVIRONMENTS = {
  spark: { file: "spark/requirements.txt", imports: "pyspark, pyarrow, pandas", what: "PySpark (440 MB)" },
  packaging: {
    file: "tests/clients/requirements.txt",
    imports: "build, setuptools",
    what: "Python's build tools (2 MB)",
  },
  parquet: { file: "tests/scaling/requirements.txt", imports: "duckdb, pyarrow", what: "DuckDB and PyArrow (70 MB)" },
};

/** @typedef {keyof typeof ENVIRONMENTS} Environment */

/** @param {Environment} name */
function folder(name) {
  const version = createHash("sha256").update(readFileSync(join(root, ENVIRONMENTS[name].file))).digest("hex");
  return join(root, ".local", `${name}-${version.slice(0, 12)}`);
}

/** The interpreter. @param {Environment} name */
export const pythonOf = (name) => join(folder(name), "bin", "python");

/** @param {Environment} name @param {import("../../local/progress.mjs").Progress} progress */
export async function ensurePython(name, progress) {
  const { file, imports, what } = ENVIRONMENTS[name];
  const present = () => spawnSync(pythonOf(name), ["-c", `import ${imports}`]).status === 0;
  if (present()) return;
  // By default, pip waits a minute and a half for a silent network.
  const pip = [
    "-m",
    "pip",
    "install",
    "--disable-pip-version-check",
    "--timeout=15",
    "--retries=2",
    "--requirement",
    file,
  ];
  await progress.long(`installing ${what} from PyPI, once`, async (detail) => {
    const made = await command("python3", ["-m", "venv", "--clear", folder(name)]);
    const { output } = made.code === 0 ? await command(pythonOf(name), pip, { line: detail }) : made;
    if (present()) return;
    throw new Error(
      `${what} could not be installed:\n${output.trim().split("\n").slice(-5).join("\n")}\n` +
        `by hand: python3 -m venv ${folder(name)} && ${pythonOf(name)} ${pip.join(" ")}`,
    );
  });
}
