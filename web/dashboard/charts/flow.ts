/** How people moved between states: ribbons from the old state to the new, as wide as people are many. */
import * as Plot from "@observablehq/plot";
import { count, duration } from "../format.ts";
import type { StateFlow } from "../kpi.ts";
import { draw, type Size, STATES, stateScale, TIP } from "./frame.ts";

const NEW = "new";
const HEIGHT = 360;
const GAP = 14;

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

export function flowChart(rows: readonly StateFlow[], { width }: Size): SVGSVGElement {
  const { ribbons, nodes } = layout(rows);
  return draw("Transitions between states", {
    width,
    height: HEIGHT + 16,
    marginLeft: 64,
    marginRight: 64,
    marginTop: 8,
    marginBottom: 8,
    x: { domain: [0, 1], axis: null },
    y: { domain: [0, HEIGHT], reverse: true, axis: null },
    color: stateScale,
    marks: [
      Plot.link(ribbons, {
        x1: 0,
        x2: 1,
        y1: "y1",
        y2: "y2",
        curve: "bump-x",
        strokeOpacity: 0.55,
        strokeLinecap: "butt",
        stroke: (ribbon: Ribbon) => (rank(ribbon.to_state) >= rank(ribbon.from) ? "var(--pine)" : "var(--ochre)"),
        strokeWidth: "thickness",
        title: (ribbon: Ribbon) =>
          `${ribbon.from} to ${ribbon.to_state}\n${count(ribbon.transitions)} moves\nafter ${
            duration(ribbon.average_dwell_seconds)
          } on average`,
        tip: TIP,
      }),
      Plot.rect(nodes, {
        x1: (node: Node) => node.side - (node.side === 0 ? 0.012 : 0),
        x2: (node: Node) => node.side + (node.side === 0 ? 0 : 0.012),
        y1: "top",
        y2: "bottom",
        fill: "var(--ink)",
        clip: false,
      }),
      ...([0, 1] as const).map((side) =>
        Plot.text(nodes.filter((node) => node.side === side), {
          x: side,
          y: (node: Node) => (node.top + node.bottom) / 2,
          dx: side === 0 ? -12 : 12,
          textAnchor: side === 0 ? "end" : "start",
          text: (node: Node) => `${node.state}  ${count(node.transitions)}`,
          fill: "var(--ink)",
        })
      ),
    ],
  });
}

/** Heights in pixels, stacked on both sides in the order of the states. */
export function layout(
  rows: readonly StateFlow[],
): { readonly ribbons: readonly Ribbon[]; readonly nodes: readonly Node[] } {
  const moves = rows.map((row) => ({ ...row, from: row.from_state ?? NEW }));
  const total = moves.reduce((sum, { transitions }) => sum + transitions, 0);
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

function order(states: readonly string[]): readonly string[] {
  return [...new Set(states)].toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b));
}

function rank(state: string): number {
  const index = STATES.findIndex((name) => name === state);
  return index === -1 ? (state === NEW ? -1 : STATES.length) : index;
}
