/** One line of JSON an occasion. Nothing a sender wrote may stand in it. */

export type Line = Record<string, string | number | boolean | null | undefined>;

export type Log = (line: Readonly<Line>) => void;

export function consoleLog(line: Readonly<Line>): void {
  console.log(JSON.stringify(line));
}
