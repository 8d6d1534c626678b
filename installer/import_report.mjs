/** What is said of a plan: each thing that could not be carried over with its place, and how much could. */

/**
 * One line. `left out`: the registry does not ask for it; `changed`: it does in other words; `note`: what comes of it.
 *
 * @typedef {{ kind: "left out" | "changed" | "note", place: string, about: string, why: string }} Line
 */

/** A JSON pointer, to a member of what another one points to. @param {string} place @param {...(string | number)} steps */
export const at = (place, ...steps) =>
  place + steps.map((step) => `/${String(step).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");

export class Report {
  /** @type {Line[]} */
  lines = [];
  /** How many statements of the plan are in the rows, and how many are not. */
  statements = { carried: 0, leftOut: 0 };
  events = { planned: 0, carried: 0 };
  /** What many events have in common is said once. @type {Map<string, string[]>} */
  #shared = new Map();

  /** Counts statements that are in a row. */
  carry(count = 1) {
    this.statements.carried += count;
  }

  /** Something that an event was to be judged by, and is not. @param {string} place @param {string} about @param {string} why */
  leave(place, about, why) {
    this.statements.leftOut += 1;
    this.lines.push({ kind: "left out", place, about, why });
  }

  /** Something that judges nothing, and that no row can hold. @param {string} place @param {string} about */
  skip(place, about) {
    this.lines.push({ kind: "left out", place, about, why: "it says something to people and judges nothing" });
  }

  /** @param {string} place @param {string} about @param {string} why */
  change(place, about, why) {
    this.lines.push({ kind: "changed", place, about, why });
  }

  /** @param {string} about @param {string} why */
  share(about, why) {
    this.#shared.set(why, [...this.#shared.get(why) ?? [], about]);
  }

  /** Takes what is said of one event: without a row, none of its statements is carried over. @param {Report} one @param {boolean} isCarried */
  add(one, isCarried) {
    const { carried, leftOut } = one.statements;
    this.statements.carried += isCarried ? carried : 0;
    this.statements.leftOut += isCarried ? leftOut : carried + leftOut;
    this.lines.push(...one.lines);
    for (const [why, about] of one.#shared) for (const name of about) this.share(name, why);
  }

  /** Every line; those that several events share come last. @returns {Line[]} */
  all() {
    return [
      ...this.lines,
      ...[...this.#shared].map(([why, about]) => ({
        kind: /** @type {const} */ ("note"),
        place: "",
        about: about.length > 4 ? `${about.slice(0, 3).join(", ")} and ${about.length - 3} others` : about.join(", "),
        why,
      })),
    ];
  }
}

/** @param {Line} line */
export const lineText = ({ kind, place, about, why }) => `${kind}  ${place === "" ? "" : `${place}  `}${about}: ${why}`;

/** A share as people read it. @param {number} part @param {number} whole */
export const share = (part, whole) => whole === 0 ? "100 %" : `${(Math.floor(part / whole * 1000) / 10).toFixed(1)} %`;
