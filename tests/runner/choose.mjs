import { parseArgs } from "node:util";

const usage = `npm test -- [NAME…] [--list]      the suites whose names contain a word given; without one, all
npm test -- [NAME…] --long        in their long form: more sessions, kills, events and rounds, as every night
npm run check -- [NAME…] [--fix]  the checks; --fix writes the formats
npm test -- --help                this`;

/**
 * What a command line asks for: the suites to run, or else what to print and the status to end with.
 *
 * @template {{ name: string }} Named
 * @param {string[]} line
 * @param {{ checks: (how: { fix: boolean }) => Named[], suites: (how: { long: boolean }) => Named[] }} available
 * @returns {{ chosen: Named[], say?: undefined, status?: undefined } | { chosen?: undefined, say: string, status: number }}
 */
export function choose(line, available) {
  let asked;
  try {
    asked = parseArgs({
      args: line,
      allowPositionals: true,
      options: {
        checks: { type: "boolean" },
        fix: { type: "boolean" },
        list: { type: "boolean" },
        long: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    return refuse(/** @type {Error} */ (error).message);
  }
  const { values: { checks, fix, list, long, help }, positionals: words } = asked;
  if (help) return { say: usage, status: 0 };
  if (fix && !checks) return refuse("--fix belongs to npm run check");
  if (long && checks) return refuse("--long belongs to npm test");
  const all = checks ? available.checks({ fix: fix ?? false }) : available.suites({ long: long ?? false });
  const names = all.map(({ name }) => name);
  if (list) return { say: names.join("\n"), status: 0 };
  const unknown = words.filter((word) => !names.some((name) => name.includes(word)));
  if (unknown.length > 0) {
    return refuse(`no suite is called like ${unknown.join(" or ")}; there are: ${names.join(", ")}`);
  }
  return { chosen: all.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word))) };
}

/** @param {string} why */
function refuse(why) {
  return { say: `${why}\n\n${usage}`, status: 2 };
}
