/** One line of JSON for each request, and for each failure outside one. It never contains what a sender wrote. */

export type Line = Record<string, string | number | boolean | null | undefined>;

export type Log = (line: Readonly<Line>) => void;

export function consoleLog(line: Readonly<Line>): void {
  console.log(JSON.stringify(line));
}
