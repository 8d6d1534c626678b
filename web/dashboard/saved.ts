/** Views that the members of a site have given a name: each opens one, whoever saved one or owns the site deletes it. */
import { el } from "../shared/dom.ts";
import type { Client } from "./client.ts";
import { nullable, object, type Row, text } from "./decode.ts";
import { rows, written } from "./kpi.ts";
import { language, t } from "./texts.ts";
import { action, said } from "./views/parts.ts";

const savedView = { id: text, name: text, words: object, made_by: nullable(text) };
type Saved = Row<typeof savedView>;
interface Where {
  readonly client: Client;
  readonly site: string;
  readonly owner: boolean;
}
/** Words of the address that name one event or record, or belong to one reader. */
const UNSAVED = ["site", "lang", "before"];
const SINGLE = ["event", "record"];

export async function savedViews(box: HTMLDetailsElement, where: Where): Promise<void> {
  const body = box.lastElementChild as HTMLElement;
  body.onclick = (event) => {
    if (event.target instanceof Element && event.target.closest("a")) box.open = false;
  };
  await draw(body, where);
  body.querySelector<HTMLElement>("a, input")?.focus();
}

async function draw(body: HTMLElement, where: Where): Promise<void> {
  const { client, site, owner } = where;
  try {
    const [{ data, error }, { data: { session } }] = await Promise.all([
      client.from("audience_saved_views").select(Object.keys(savedView).join(",")).eq("site_id", site).order("name"),
      client.auth.getSession(),
    ]);
    written({ error });
    const all = rows(data, "audience_saved_views", savedView);
    const mine = ({ made_by }: Saved): boolean => owner || made_by === session?.user.id;
    body.replaceChildren(
      all.length === 0
        ? el("p", { class: "quiet small" }, t("No view is saved yet."))
        : el("ul", { class: "plain" }, all.map((one) => line(one, mine(one), body, where))),
      form(body, where),
    );
  } catch (error) {
    console.error(error);
    body.replaceChildren(el("p", { class: "problem" }, said(error)));
  }
}

function line({ id, name, words }: Saved, mine: boolean, body: HTMLElement, where: Where): HTMLElement {
  const shown = words as Readonly<Record<string, string>>;
  const address = new URLSearchParams({ site: where.site, ...shown });
  if (new URLSearchParams(location.search).has("lang")) address.set("lang", language);
  const remove = action(t("Delete"), async () => {
    written(await where.client.from("audience_saved_views").delete().eq("id", id));
    await draw(body, where);
    return null;
  }, "button plain small");
  remove.button.setAttribute("aria-label", t("Delete: {name}", { name }));
  return el(
    "li",
    {},
    el("a", { href: `?${address}`, "data-view": shown["view"] ?? "figures", translate: "no" }, name),
    mine && remove.button,
    remove.outcome,
  );
}

function form(body: HTMLElement, where: Where): HTMLElement {
  const now = [...new URLSearchParams(location.search)].filter(([name]) => !UNSAVED.includes(name));
  if (now.some(([name]) => SINGLE.includes(name))) {
    return el(
      "p",
      { class: "quiet small" },
      t("One event is no view to save: go to a list or to the figures first."),
    );
  }
  const name = el("input", { id: "saved-name", maxlength: 64, required: true, autocomplete: "off" });
  const outcome = el("p", { class: "problem", role: "status" });
  return el(
    "form",
    { onsubmit: (event) => void save(event) },
    el("label", { for: name.id, class: "small" }, t("Name")),
    name,
    el("button", { class: "button small", type: "submit" }, t("Save this view for all members")),
    outcome,
  );

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    try {
      const row = { site_id: where.site, name: name.value.trim(), words: Object.fromEntries(now) };
      written(await where.client.from("audience_saved_views").insert(row));
      await draw(body, where);
      body.querySelector<HTMLElement>("a")?.focus();
    } catch (error) {
      console.error(error);
      outcome.textContent = said(error);
    }
  }
}
