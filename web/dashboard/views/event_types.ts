/** The event types that all sites share: a list of them, and one of them in its form. */
import { el } from "../../shared/dom.ts";
import { addressOf, asked } from "../address.ts";
import { grid } from "./parts.ts";
import { typeForm } from "./type_form.ts";
import type { Around } from "./registry.ts";
import { t } from "../texts.ts";

export async function part(around: Around): Promise<HTMLElement> {
  const types = await around.api.types();
  const wanted = asked("id");
  const chosen = types.find(({ id }) => id === wanted);
  if (chosen || wanted === "new" && around.editor) return typeForm(around, chosen);
  const find = el("input", { id: "find-type", type: "search", autocomplete: "off", oninput: () => narrow() });
  const list = grid(t("Event types"), [
    {
      name: t("Type"),
      cell: ({ id }) =>
        el("a", { href: addressOf({ view: "registry", id }), "data-view": "registry", class: "rule-id" }, id),
      text: ({ id }) => id,
    },
    { name: t("Category"), cell: ({ category }) => category, text: ({ category }) => category },
    { name: t("Tier"), cell: ({ tier }) => tier, text: ({ tier }) => tier },
    {
      name: t("Score"),
      number: true,
      cell: ({ score_weight }) => score_weight,
      text: ({ score_weight }) => score_weight,
    },
    {
      name: t("Payload"),
      cell: ({ payload_schema }) => (payload_schema === null ? t("anything") : t("by a schema")),
      text: ({ payload_schema }) => (payload_schema === null ? t("anything") : t("by a schema")),
    },
    {
      name: t("State"),
      cell: ({ active }) =>
        el("span", { class: `tag ${active ? "pass" : "refuse"}` }, active ? t("accepted") : t("refused")),
      text: ({ active }) => (active ? t("accepted") : t("refused")),
    },
  ], types);
  const rows = [...list.querySelectorAll("tbody tr")];
  const found = el("p", { class: "quiet small", role: "status" });
  return el(
    "div",
    {},
    !around.editor &&
      el("p", { class: "quiet" }, t("All sites share these. Whoever is an owner of every site can change them.")),
    el(
      "div",
      { class: "tools" },
      el("div", { class: "inline-field" }, el("label", { for: find.id }, t("Find")), find),
      around.editor &&
        el(
          "a",
          { class: "button", href: addressOf({ view: "registry", id: "new" }), "data-view": "registry" },
          t("Add a type"),
        ),
      found,
    ),
    list,
  );

  function narrow(): void {
    const text = find.value.trim().toLowerCase();
    rows.forEach((row, at) => {
      const { id, category, description } = types[at] ?? { id: "", category: "", description: "" };
      (row as HTMLElement).hidden = !`${id} ${category} ${description}`.toLowerCase().includes(text);
    });
    const many = rows.filter((row) => !(row as HTMLElement).hidden).length;
    found.textContent = text === "" ? "" : t("{some} of {all}", { some: many, all: types.length });
  }
}
