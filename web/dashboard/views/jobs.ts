/** What runs by itself: when, how it went last, and a switch for whoever may use it. */
import { el } from "../../shared/dom.ts";
import { dateTime } from "../format.ts";
import { jobDescription, jobName } from "../job_texts.ts";
import { outcomeName } from "../outcomes.ts";
import type { Job } from "../registry_api.ts";
import { changes } from "./changes.ts";
import { action } from "./parts.ts";
import type { Around } from "./registry.ts";
import { rich, t } from "../texts.ts";

export async function part(around: Around): Promise<HTMLElement> {
  const [jobs, history] = await Promise.all([around.api.jobs(), changes(around, { entity: "job" })]);
  return el(
    "div",
    {},
    !around.editor &&
      el("p", { class: "quiet" }, t("These work for all sites. Whoever is an owner of every site can switch them.")),
    el("ul", { class: "cards two" }, jobs.map((job) => card(job, around))),
    around.place.owner && [el("h2", { class: "sub" }, t("Who switched them")), history],
  );
}

function card(job: Job, around: Around): HTMLElement {
  const name = jobName(job.name);
  const change = action(job.active ? t("Switch off") : t("Switch on"), async () => {
    await around.api.switchJob(job.name, !job.active);
    await around.done(job.active ? t("{job} is off.", { job: name }) : t("{job} is on.", { job: name }));
    return null;
  }, "button small");
  change.button.setAttribute(
    "aria-label",
    job.active ? t("Switch off: {job}", { job: name }) : t("Switch on: {job}", { job: name }),
  );
  return el(
    "li",
    { class: "card pad", "data-job": job.name },
    el(
      "div",
      { class: "tools" },
      el("h2", {}, name),
      el("span", { class: `tag ${job.active ? "pass" : ""}` }, job.active ? t("on") : t("off")),
    ),
    jobDescription(job.description),
    el(
      "p",
      { class: "quiet small" },
      rich("Schedule {schedule} in UTC. {last}", {
        schedule: el("code", {}, job.schedule),
        last: job.last_at === null ? t("It has not run yet.") : t("Last run {time}: {outcome}.", {
          time: dateTime(job.last_at, around.zone),
          outcome: outcomeName(job.last_outcome ?? ""),
        }),
      }),
      job.failed_runs > 0 &&
        el("span", { class: "is-refused" }, t(" {count} failed in 24 hours.", { count: job.failed_runs })),
    ),
    around.editor && change.button,
    change.outcome,
  );
}
