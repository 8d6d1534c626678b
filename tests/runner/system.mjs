import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { command, onPath } from "../../local/command.mjs";
import { installPackages } from "../../local/install.mjs";
import { chromiumPath } from "./chromium.mjs";
import { ensurePython } from "./python.mjs";

/** Where the programs of a real Postgres 15 are: `PG_BIN`, or where Debian's package puts them. */
export const postgresBin = process.env.PG_BIN ?? "/usr/lib/postgresql/15/bin";

/** An extension of that Postgres. */
function extension(/** @type {string} */ name) {
  const { stdout } = spawnSync(join(postgresBin, "pg_config"), ["--sharedir"], { encoding: "utf8" });
  return existsSync(join(stdout?.trim() ?? "", "extension", `${name}.control`));
}

/** Whether Python can make environments; Debian packages that separately. */
const makesEnvironments = () => spawnSync("python3", ["-c", "import venv, ensurepip"]).status === 0;

/**
 * A program of the system: how to see that it is there, and the Debian package that brings it.
 *
 * @typedef {object} Piece
 * @property {string} name
 * @property {() => boolean} present
 * @property {string} [package] without one, a person has to install it
 */

/** @param {string} program @param {string} [debian] @returns {Piece} */
const onThePath = (program, debian) => ({
  name: program,
  present: () => onPath(program) !== undefined,
  package: debian,
});

/** @param {string} name @param {string} [more] @returns {Piece} */
const postgresExtension = (name, more = name) => ({
  name,
  present: () => extension(name),
  package: `postgresql-15-${more}`,
});

/** @typedef {{ pieces?: Piece[], packages?: import("../../local/install.mjs").Extent, python?: import("./python.mjs").Environment }} Means */

/** What a suite may need apart from Node. @satisfies {Record<string, Means>} */
const NEEDS = {
  packages: { packages: "tests" },
  stack: { packages: "start" },
  rust: { pieces: [{ ...onThePath("cargo"), name: "Rust (https://rustup.rs)" }] },
  postgres: {
    pieces: [
      { name: "Postgres 15", present: () => existsSync(join(postgresBin, "initdb")), package: "postgresql-15" },
      postgresExtension("pg_cron", "cron"),
    ],
  },
  pgtap: { pieces: [postgresExtension("pgtap"), onThePath("pg_prove", "libtap-parser-sourcehandler-pgtap-perl")] },
  plpgsql_check: { pieces: [postgresExtension("plpgsql_check", "plpgsql-check")] },
  chromium: { pieces: [{ name: "Chromium", present: () => chromiumPath() !== undefined, package: "chromium" }] },
  git: { pieces: [onThePath("git", "git")] },
  curl: { pieces: [onThePath("curl", "curl")] },
  openssl: { pieces: [onThePath("openssl", "openssl")] },
  ps: { pieces: [onThePath("ps", "procps")] },
  python: { pieces: [onThePath("python3", "python3")] },
  php: { pieces: [onThePath("php", "php-cli")] },
  faketime: { pieces: [onThePath("faketime", "faketime")] },
  spark: {
    pieces: [
      onThePath("java", "openjdk-17-jre-headless"),
      { name: "Python's venv", present: makesEnvironments, package: "python3-venv" },
    ],
    python: "spark",
  },
  packaging: {
    pieces: [{ name: "Python's venv", present: makesEnvironments, package: "python3-venv" }],
    python: "packaging",
  },
  parquet: {
    pieces: [{ name: "Python's venv", present: makesEnvironments, package: "python3-venv" }],
    python: "parquet",
  },
};

/** @typedef {keyof typeof NEEDS} Need */

/** @type {Need[]} */
export const EVERYTHING = /** @type {Need[]} */ (Object.keys(NEEDS));

/**
 * Makes sure that everything needed is there: installs what is missing if this user may, and otherwise says how to. No
 * suite is left out because something is missing.
 *
 * @param {Need[]} needs
 * @param {import("../../local/progress.mjs").Progress} progress
 */
export async function ensure(needs, progress) {
  /** @type {Means[]} */
  const wanted = [...new Set(needs)].map((need) => NEEDS[need]);
  if (process.platform === "win32" && wanted.length > 0) {
    throw new Error("the tests run on Linux and macOS; on Windows, run them in WSL");
  }
  const pieces = wanted.flatMap(({ pieces }) => pieces ?? []);
  refuseMissing(pieces.filter((piece) => piece.package === undefined && !piece.present()));
  for (const { packages } of wanted) if (packages) await installPackages(packages, progress);
  await installPieces(pieces, progress);
  for (const { python } of wanted) if (python) await ensurePython(python, progress);
}

/** Refuses to go on without what only a person can install. @param {Piece[]} missing */
function refuseMissing(missing) {
  if (missing.length > 0) throw new Error(`the tests need ${missing.map(({ name }) => name).join(", ")}`);
}

/** @param {Piece[]} pieces @param {import("../../local/progress.mjs").Progress} progress */
async function installPieces(pieces, progress) {
  const missing = pieces.filter((piece) => !piece.present());
  if (missing.length === 0) return;

  const names = (/** @type {Piece[]} */ some) => [...new Set(some.map(({ name }) => name))].join(", ");
  const packages = [...new Set(missing.flatMap((piece) => piece.package ?? []))];
  const byHand = `apt-get install --yes --no-install-recommends ${packages.join(" ")}`;
  if (process.getuid?.() !== 0 || onPath("apt-get") === undefined) {
    throw new Error(
      `the tests need ${names(missing)}; on Debian or Ubuntu:\n\n  sudo ${byHand}\n\n` +
        "elsewhere install the same programs, and set PG_BIN to the folder of initdb and CHROMIUM to the browser " +
        "where they are not found",
    );
  }

  await progress.long(`installing ${names(missing)} with apt-get, once`, async (detail) => {
    const apt = (/** @type {string[]} */ ...words) =>
      command("apt-get", ["-o", "Acquire::http::Timeout=15", "-o", "Acquire::Retries=1", ...words], {
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        line: detail,
      });
    await apt("update");
    const { output } = await apt("install", "--yes", "--no-install-recommends", ...packages);
    const still = missing.filter((piece) => !piece.present());
    if (still.length === 0) return;
    const complaint = output.split("\n").filter((line) => /^[EW]:/.test(line)).slice(-5).join("\n");
    throw new Error(`${names(still)} could not be installed:\n${complaint}\nby hand: ${byHand}`);
  });
}
