/** The figures of one site for a screen on the wall: nobody signs in, the link is the key, and nothing can be pressed. */
import { type Child, el } from "../shared/dom.ts";
import type { Client } from "./client.ts";
import { list, nullable, number, row, text } from "./decode.ts";
import { clock, count, day, dayShort, percent, short } from "./format.ts";
import { read, ReadError } from "./kpi.ts";
import "./wall.css";
import { t } from "./texts.ts";

const MINUTE = 60_000;
const EVERY = MINUTE;
/** By so much a timer may be early. */
const EARLY = 1_000;
const MINUTES = 30;
const overview = row({
  events: number,
  people: number,
  sessions: number,
  rejected: number,
  rejection_rate: nullable(number),
});
const figures = row({
  site: text,
  expires_at: text,
  zone: text,
  today: overview,
  month: overview,
  days: list(row({ period: text, visits: number })),
  live: list(row({ minute: text, events: number })),
});
type Figures = ReturnType<typeof figures>;

/** Reads once a minute while the screen shows the page, at once when it does again, and never more once the link has ended. */
export function wall(main: HTMLElement, client: Client, secret: string): void {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const gone = new AbortController();
  let asked = -Infinity;
  const due = (): void => {
    if (!document.hidden && Date.now() - asked > EVERY - EARLY) void look();
  };
  const timer = setInterval(due, EVERY);
  document.addEventListener("visibilitychange", due, { signal: gone.signal });
  due();

  async function look(): Promise<void> {
    asked = Date.now();
    try {
      const answer = await read(client, "audience_wall_figures", { secret, time_zone: zone });
      main.replaceChildren(...drawn(figures(answer, "audience_wall_figures")));
      main.dataset["loaded"] = "wall";
    } catch (error) {
      console.error(error);
      const ended = error instanceof ReadError && error.code === "42501";
      if (ended) {
        clearInterval(timer);
        gone.abort();
      }
      // A screen keeps what it has while the network is away.
      if (!ended && main.dataset["loaded"] !== undefined) return;
      main.dataset["loaded"] = "none";
      main.replaceChildren(
        el(
          "div",
          { class: "page-note" },
          el("h1", {}, ended ? t("This link has ended") : t("The figures could not be read")),
          el(
            "p",
            {},
            ended ? t("Ask an owner of the site for another one.") : t("The screen tries again every minute."),
          ),
        ),
      );
    }
  }
}

function drawn({ site, today, month, days, live, zone, expires_at }: Figures): readonly Node[] {
  document.title = site;
  const minutes = live.reduce((sum, { events }) => sum + events, 0);
  return [
    el("h1", { class: "wall-head" }, site),
    el(
      "div",
      { class: "wall" },
      tile(t("Events today"), count(today.events), t("{value} in 28 days", { value: short(month.events) })),
      tile(t("People today"), count(today.people), t("{value} in 28 days", { value: short(month.people) })),
      tile(t("Sessions today"), count(today.sessions), t("{value} in 28 days", { value: short(month.sessions) })),
      tile(
        t("Refused today"),
        percent(today.rejection_rate),
        t("{value} in 28 days", { value: percent(month.rejection_rate) }),
      ),
      tile(t("Events in 30 minutes"), count(minutes), bars(byMinute(live), t("Events by minute"))),
      tile(
        t("Visits by day"),
        count(days.at(-1)?.visits ?? 0),
        bars(days.map(({ visits }) => visits), t("Visits by day")),
        days[0] && el("span", {}, t("since {date}", { date: dayShort(days[0].period) })),
      ),
    ),
    el(
      "p",
      { class: "quiet wall-foot" },
      t("Read at {time}, days of {zone}. The link holds until {date}.", {
        time: clock(new Date().toISOString(), zone),
        zone,
        date: day(expires_at.slice(0, 10)),
      }),
    ),
  ];
}

/** Minutes without events are there too. */
function byMinute(live: Figures["live"]): readonly number[] {
  const now = Math.floor(Date.now() / MINUTE);
  const counts = new Map(live.map(({ minute, events }) => [Math.floor(Date.parse(minute) / MINUTE), events]));
  return Array.from({ length: MINUTES }, (_, at) => counts.get(now - MINUTES + 1 + at) ?? 0);
}

function tile(name: string, value: string, ...under: readonly Child[]): HTMLElement {
  return el(
    "section",
    { class: "card" },
    el("h2", {}, name),
    el("p", { class: "wall-value" }, value),
    el("div", { class: "quiet" }, under),
  );
}

function bars(counts: readonly number[], label: string): Element {
  const most = Math.max(1, ...counts);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const all = {
    viewBox: `0 0 ${Math.max(1, counts.length) * 6} 24`,
    class: "wall-bars",
    role: "img",
    "aria-label": `${label}: ${counts.join(", ")}`,
    preserveAspectRatio: "none",
  };
  for (const [key, value] of Object.entries(all)) svg.setAttribute(key, value);
  counts.forEach((value, at) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const height = Math.max(0.5, (value / most) * 24);
    for (const [key, given] of Object.entries({ x: at * 6, y: 24 - height, width: 4.5, height })) {
      bar.setAttribute(key, String(given));
    }
    svg.append(bar);
  });
  return svg;
}
