/** What runs by itself: when, how it went last, and a switch for whoever may use it. */
import { el } from "../../shared/dom.ts";
import { sentence } from "../../shared/prose.ts";
import { count, dateTime, words } from "../format.ts";
import type { Job } from "../registry_api.ts";
import { changes } from "./changes.ts";
import { action } from "./parts.ts";
import type { Around } from "./registry.ts";

export async function part(around: Around): Promise<HTMLElement> {
  const [jobs, history] = await Promise.all([around.api.jobs(), changes(around, { entity: "job" })]);
  return el(
    "div",
    {},
    !around.editor &&
      el("p", { class: "quiet" }, "These work for all sites. Whoever is an owner of every site can switch them."),
    el("ul", { class: "cards two" }, jobs.map((job) => card(job, around))),
    around.place.owner && [el("h2", { class: "sub" }, "Who switched them"), history],
  );
}

function card(job: Job, around: Around): HTMLElement {
  const name = words(job.name);
  const change = action(job.active ? "Switch off" : "Switch on", async () => {
    await around.api.switchJob(job.name, !job.active);
    await around.done(`${name} is ${job.active ? "off" : "on"}.`);
    return null;
  }, "button small");
  change.button.setAttribute("aria-label", `${job.active ? "Switch off" : "Switch on"}: ${name}`);
  return el(
    "li",
    { class: "card pad", "data-job": job.name },
    el(
      "div",
      { class: "tools" },
      el("h2", {}, name),
      el("span", { class: `tag ${job.active ? "pass" : ""}` }, job.active ? "on" : "off"),
    ),
    el("p", {}, sentence(job.description)),
    el(
      "p",
      { class: "quiet small" },
      "Schedule ",
      el("code", {}, job.schedule),
      " in UTC. ",
      job.last_at === null
        ? "It has not run yet."
        : `Last run ${dateTime(job.last_at, around.zone)}: ${job.last_outcome ?? ""}.`,
      job.failed_runs > 0 && el("span", { class: "is-refused" }, ` ${count(job.failed_runs)} failed in 24 hours.`),
    ),
    around.editor && change.button,
    change.outcome,
  );
}
