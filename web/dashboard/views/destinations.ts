/** Who is told of alerts: the webhooks of the site, a test of each, and what became of every message. */
import { type Child, el } from "../../shared/dom.ts";
import type { AlertsApi, Delivery, Destination } from "../alerts_api.ts";
import { count, dateTime } from "../format.ts";
import { action, field, grid, said } from "./parts.ts";
import { t } from "../texts.ts";

const FORMS: Readonly<Record<string, string>> = { slack: t("Slack, Mattermost and the like"), json: t("JSON, signed") };
const PROBLEMS: Readonly<Record<string, string>> = {
  timeout: t("it did not answer in time"),
  connection: t("it could not be reached"),
  redirect: t("it redirects, which is not followed"),
  address: t("its address may not be told"),
  secret: t("the function has no AUDIENCE_GATE_ALERT_SECRET"),
  deleted: t("it was deleted before"),
  no_word: t("the function never said"),
};

export interface Told {
  readonly api: AlertsApi;
  readonly owner: boolean;
  readonly zone: string;
  readonly draw: () => Promise<void>;
}

export function destinations(
  all: readonly Destination[],
  deliveries: readonly Delivery[],
  told: Told,
): readonly Child[] {
  return [
    el("h2", { class: "sub" }, t("Who is told")),
    all.length === 0
      ? el("p", { class: "nothing" }, t("Nobody yet: what fires is seen here alone."))
      : el("ul", { class: "cards" }, all.map((one) => card(one, told))),
    told.owner && form(told),
    deliveries.length > 0 && [
      el("h2", { class: "sub" }, t("What became of each message")),
      messages(all, deliveries, told.zone),
    ],
  ];
}

function card(one: Destination, { api, owner, draw }: Told): HTMLElement {
  const test = action(t("Send a test"), async () => {
    const result = await api.test(one);
    if (!result) return t("It is sent at the next call of the schedule.");
    return result.problem === null ? t("It arrived.") : t("It did not arrive: {why}.", { why: problem(result) });
  }, "button small");
  const change = action(one.active ? t("Stop telling") : t("Tell again"), async () => {
    await api.setTold(one.id, !one.active);
    await draw();
    return null;
  }, "button small");
  const remove = action(t("Delete"), async () => {
    await api.removeDestination(one.id);
    await draw();
    return null;
  }, "button plain small");
  return el(
    "li",
    { class: "card pad", "data-destination": one.name },
    el(
      "div",
      { class: "tools" },
      el("h3", {}, one.name),
      el("span", { class: `tag ${one.active ? "pass" : ""}` }, one.active ? t("told") : t("not told")),
    ),
    el("p", { class: "quiet" }, FORMS[one.form] ?? one.form),
    owner &&
      el("div", { class: "facts" }, [test, change, remove].flatMap(({ button, outcome }) => [button, outcome])),
  );
}

function form({ api, draw }: Told): HTMLElement {
  const name = el("input", { id: "told-name", maxlength: 64, autocomplete: "off", required: true });
  const kind = el(
    "select",
    { id: "told-form" },
    Object.entries(FORMS).map(([value, label]) => el("option", { value }, label)),
  );
  const url = el("input", { id: "told-url", type: "url", maxlength: 2000, autocomplete: "off", required: true });
  const outcome = el("p", { class: "problem", role: "status" });
  return el(
    "form",
    { class: "card pad", "aria-labelledby": "new-told", onsubmit: (event) => void add(event) },
    el("h3", { id: "new-told" }, t("Tell another webhook")),
    el("div", { class: "narrow wide" }, field(t("Name"), name), field(t("Takes"), kind), field(t("Address"), url)),
    el("p", { class: "quiet small" }, t("The address is a secret: it cannot be read again, by you or anybody else.")),
    el("button", { class: "button primary", type: "submit" }, t("Add webhook")),
    outcome,
  );

  async function add(event: Event): Promise<void> {
    event.preventDefault();
    try {
      await api.addDestination(name.value, kind.value, url.value);
      await draw();
    } catch (error) {
      console.error(error);
      outcome.textContent = said(error);
    }
  }
}

function messages(all: readonly Destination[], deliveries: readonly Delivery[], zone: string): HTMLElement {
  const names = new Map(all.map(({ id, name }) => [id, name]));
  const name = ({ destination_id }: Delivery) => names.get(destination_id) ?? t("deleted");
  const what = ({ firing_id }: Delivery) => (firing_id === null ? t("a test") : t("an alert"));
  return grid(t("Messages to webhooks"), [
    { name: t("When"), cell: ({ created_at }) => dateTime(created_at, zone), text: ({ created_at }) => created_at },
    { name: t("To"), cell: name, text: name },
    { name: t("About"), cell: what, text: what },
    {
      name: t("What became of it"),
      cell: (one) => el("span", { class: `tag ${LOOKS[one.state] ?? ""}` }, became(one, zone)),
      text: ({ state }) => state,
    },
    {
      name: t("Why not"),
      cell: (one) => (one.problem === null ? "" : problem(one)),
      text: (one) => (one.problem === null ? null : problem(one)),
    },
    { name: t("Attempts"), number: true, cell: ({ attempts }) => count(attempts), text: ({ attempts }) => attempts },
  ], deliveries);
}

const LOOKS: Readonly<Record<string, string>> = { delivered: "pass", failed: "refuse" };

function became({ state, attempts, due_at }: Delivery, zone: string): string {
  if (state === "delivered") return t("arrived");
  if (state === "failed") return t("given up");
  return attempts === 0 ? t("waits to be sent") : t("again from {time}", { time: dateTime(due_at, zone) });
}

function problem({ problem, status }: Pick<Delivery, "problem" | "status">): string {
  if (problem === "status") return t("it answered {status}", { status: String(status ?? "") });
  return PROBLEMS[problem ?? ""] ?? problem ?? "";
}
