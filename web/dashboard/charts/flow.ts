/** How people moved between states: ribbons from the old state to the new, as wide as people are many. */
import { count, duration } from "../format.ts";
import type { StateFlow } from "../kpi.ts";
import type { StatesSize } from "./frame.ts";
import { marks, picture, rectangle, roomFor, shape, shortened, words } from "./svg.ts";
import { t } from "../texts.ts";

const NEW = t("new");
const HEIGHT = 360;
const GAP = 14;
const TOP = 8;
/** Room for short names beside the ribbons. */
const SIDE = 64;

interface Ribbon extends StateFlow {
  readonly from: string;
  readonly y1: number;
  readonly y2: number;
  readonly thickness: number;
}
interface Node {
  readonly state: string;
  readonly side: 0 | 1;
  readonly top: number;
  readonly bottom: number;
  readonly transitions: number;
}

export function flowChart(rows: readonly StateFlow[], { width, states }: StatesSize): SVGSVGElement {
  const { ribbons, nodes } = layout(rows, states);
  const rank = ranked(states);
  const side = roomFor(nodes.map(({ state, transitions }) => `${state}  ${count(transitions)}`), SIDE, width);
  const [left, right] = [side, width - side];
  const named = ({ state, transitions }: Node): string => {
    const many = `  ${count(transitions)}`;
    return shortened(state, side - 12 - many.length * 6.4) + many;
  };
  const middle = (left + right) / 2;
  const height = (value: number): number => value + TOP;
  return picture(
    t("Transitions between states"),
    [width, HEIGHT + 2 * TOP],
    [
      marks(
        "link",
        ribbons.map((ribbon) => {
          const [from, to] = [height(ribbon.y1), height(ribbon.y2)];
          return shape("path", {
            d: `M${left},${from}C${middle},${from} ${middle},${to} ${right},${to}`,
            stroke: rank(ribbon.to_state) >= rank(ribbon.from) ? "var(--pine)" : "var(--ochre)",
            "stroke-width": ribbon.thickness,
          });
        }),
        { fill: "none", "stroke-opacity": 0.55 },
      ),
      marks(
        "node",
        nodes.map(({ side, top, bottom }) => {
          const x = side === 0 ? left : right;
          return rectangle([x, x + (side === 0 ? -6 : 6)], [height(top), height(bottom)], { fill: "var(--ink)" });
        }),
      ),
      ...([0, 1] as const).map((side) =>
        marks(
          "text",
          nodes.filter((node) => node.side === side).map((node) =>
            words(side === 0 ? left - 12 : right + 12, height((node.top + node.bottom) / 2), named(node))
          ),
          { fill: "var(--ink)", "text-anchor": side === 0 ? "end" : "start" },
        )
      ),
    ],
    ribbons.map((ribbon) => ({
      x: middle,
      y: height((ribbon.y1 + ribbon.y2) / 2),
      text: [
        t("{from} to {to}", { from: ribbon.from, to: ribbon.to_state }),
        t("{count} move | {count} moves", { count: ribbon.transitions }),
        t("after {time} on average", { time: duration(ribbon.average_dwell_seconds) }),
      ].join("\n"),
    })),
  );
}

/** Heights in pixels, stacked on both sides in the order of the states. */
export function layout(
  rows: readonly StateFlow[],
  states: readonly string[],
): { readonly ribbons: readonly Ribbon[]; readonly nodes: readonly Node[] } {
  const moves = rows.map((row) => ({ ...row, from: row.from_state ?? NEW }));
  const total = moves.reduce((sum, { transitions }) => sum + transitions, 0);
  const rank = ranked(states);
  const order = (found: readonly string[]) =>
    [...new Set(found)].toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
  const starts = order(moves.map(({ from }) => from));
  const ends = order(moves.map(({ to_state }) => to_state));
  const pixels = (HEIGHT - GAP * (Math.max(starts.length, ends.length) - 1)) / Math.max(1, total);
  const sorted = moves.toSorted((a, b) => rank(a.from) - rank(b.from) || rank(a.to_state) - rank(b.to_state));
  const left = stack(starts, 0, sorted.map((move) => [move.from, move.transitions]), pixels);
  const right = stack(ends, 1, sorted.map((move) => [move.to_state, move.transitions]), pixels);
  return {
    ribbons: sorted.map((move, index) => ({
      ...move,
      thickness: Math.max(1, move.transitions * pixels),
      y1: left.middles[index] ?? 0,
      y2: right.middles[index] ?? 0,
    })),
    nodes: [...left.nodes, ...right.nodes],
  };
}

function stack(
  states: readonly string[],
  side: 0 | 1,
  moves: readonly (readonly [string, number])[],
  pixels: number,
): { readonly nodes: readonly Node[]; readonly middles: readonly number[] } {
  let top = 0;
  const cursor = new Map<string, number>();
  const nodes = states.map((state): Node => {
    const transitions = moves.reduce((sum, [name, size]) => (name === state ? sum + size : sum), 0);
    const node = { state, side, top, bottom: top + transitions * pixels, transitions };
    cursor.set(state, top);
    top = node.bottom + GAP;
    return node;
  });
  const middles = moves.map(([state, size]) => {
    const begin = cursor.get(state) ?? 0;
    cursor.set(state, begin + size * pixels);
    return begin + (size * pixels) / 2;
  });
  return { nodes, middles };
}

/** Where a state comes in the order: people without one come first, and states that are no longer registered come last. */
function ranked(states: readonly string[]): (state: string) => number {
  return (state) => {
    const index = states.indexOf(state);
    return index === -1 ? (state === NEW ? -1 : states.length) : index;
  };
}
