/** The site: its name, the origins that may send for it, and its members, who are ids: nobody's name is known here. */
import { type Child, el } from "../../shared/dom.ts";
import { dateTime } from "../format.ts";
import type { Member, SiteRow } from "../registry_api.ts";
import { changes } from "./changes.ts";
import { action, field, said } from "./parts.ts";
import type { Around } from "./registry.ts";
import { t } from "../texts.ts";

const ORIGIN = /^https?:\/\/[a-z0-9._:[\]-]+$/;
const UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";
const ROLES: Readonly<Record<string, string>> = { viewer: t("Viewer"), analyst: t("Analyst"), owner: t("Owner") };

export async function part(around: Around): Promise<HTMLElement> {
  const { api, place: { owner, site: id } } = around;
  const [site, members, ofSite, ofMembers] = await Promise.all([
    api.site(),
    api.members(),
    changes(around, { entity: "site", record: id }),
    changes(around, { entity: "site_member" }),
  ]);
  return el(
    "div",
    {},
    site && (owner ? siteForm(site, around) : facts(site)),
    el("h2", { class: "sub" }, t("Members")),
    !owner && el("p", { class: "quiet" }, t("You see your own membership. Owners see and change all of them.")),
    el("ul", { class: "cards two" }, members.map((one) => card(one, around))),
    owner && memberForm(around),
    owner && [el("h2", { class: "sub" }, t("What became of the site")), ofSite],
    owner && [el("h2", { class: "sub" }, t("Who gave and took access")), ofMembers],
  );
}

function facts({ name, origins }: SiteRow): HTMLElement {
  return el(
    "section",
    { class: "card pad" },
    el("h2", {}, name),
    el(
      "p",
      {},
      origins === null
        ? t("Any origin may send for it.")
        : t("May send for it: {origins}.", { origins: origins.join(", ") }),
    ),
    el("p", { class: "quiet" }, t("Owners of the site can change this. Ask one of them.")),
  );
}

function siteForm(site: SiteRow, { api, done }: Around): HTMLElement {
  const name = el("input", { id: "site-name", maxlength: 128, required: true, autocomplete: "off", value: site.name });
  const origins = el("textarea", {
    id: "site-origins",
    class: "mono",
    rows: 4,
    spellcheck: "false",
    "aria-describedby": "origins-say",
  });
  origins.value = (site.origins ?? []).join("\n");
  const says = el("p", { id: "origins-say", role: "status", class: "small" });
  const save = action(t("Save"), async () => {
    const list = listed();
    await api.changeSite({ name: name.value.trim(), origins: list.length === 0 ? null : list });
    await done(t("The site was saved. It holds for the next event."));
    return null;
  }, "button primary");
  const form = el(
    "form",
    {
      class: "card pad form",
      "aria-labelledby": "the-site",
      onsubmit: (event) => event.preventDefault(),
      oninput: check,
    },
    el("h2", { id: "the-site" }, t("The site")),
    el("div", { class: "narrow wide" }, field(t("Name"), name)),
    el(
      "div",
      { class: "field wide" },
      el("label", { for: "site-origins" }, t("Origins that may send for it, one on each line")),
      origins,
    ),
    says,
    save.button,
    save.outcome,
  );
  check();
  return form;

  function listed(): readonly string[] {
    return origins.value.split(/\s+/).filter((line) => line !== "");
  }
  function check(): void {
    const wrong = listed().find((origin) => !ORIGIN.test(origin));
    says.className = wrong === undefined ? "small quiet" : "small problem";
    says.textContent = wrong !== undefined
      ? t("“{origin}” is no origin: write it in lower case and without a path, such as https://www.example.com.", {
        origin: wrong,
      })
      : listed().length === 0
      ? t("Without any, every origin may send for this site.")
      : t("A page of any other origin is refused.");
    save.button.disabled = wrong !== undefined || name.value.trim() === "";
  }
}

function card(one: Member, around: Around): HTMLElement {
  const { api, me, done, zone, place: { owner } } = around;
  const mine = one.user_id === me;
  const select = roles(`role-${one.user_id}`, one.role);
  const outcome = el("p", { class: "problem", role: "status" });
  select.addEventListener("change", () =>
    void api.setRole(one.user_id, select.value).then(
      () => done(t("The role is {role} now.", { role: ROLES[select.value] ?? "" })),
      (error: unknown) => {
        select.value = one.role;
        outcome.textContent = said(error);
      },
    ));
  const remove = action(t("Remove"), async () => {
    await api.removeMember(one.user_id);
    await done(t("The access was taken."));
    return null;
  }, "button plain small");
  remove.button.setAttribute("aria-label", t("Remove {member}", { member: one.user_id }));
  return el(
    "li",
    { class: "card pad", "data-member": one.user_id },
    el("p", { class: "rule-id" }, one.user_id, mine && [" ", el("span", { class: "tag pass" }, t("you"))]),
    el("p", { class: "quiet small" }, t("Since {time}", { time: dateTime(one.created_at, zone) })),
    owner
      ? el("div", { class: "facts" }, labelled(t("Role"), select), remove.button)
      : el("p", {}, ROLES[one.role] ?? one.role),
    outcome,
    remove.outcome,
  );
}

function memberForm({ api, done }: Around): HTMLElement {
  const id = el("input", {
    id: "member-id",
    pattern: UUID,
    maxlength: 36,
    required: true,
    autocomplete: "off",
    class: "mono",
  });
  const role = roles("member-role", "viewer");
  const outcome = el("p", { class: "problem", role: "status" });
  return el(
    "form",
    { class: "card pad", "aria-labelledby": "new-member", onsubmit: (event) => void add(event) },
    el("h2", { id: "new-member" }, t("Give access")),
    el(
      "p",
      { class: "quiet small" },
      t("By the id of an account, which whoever signs in here without access is shown. Viewers and analysts read; owners change."),
    ),
    el("div", { class: "narrow wide" }, field(t("Id of the account"), id), field(t("Role"), role)),
    el("button", { class: "button primary", type: "submit" }, t("Give access")),
    outcome,
  );

  async function add(event: Event): Promise<void> {
    event.preventDefault();
    try {
      await api.addMember(id.value.trim().toLowerCase(), role.value);
      await done(t("The access was given."));
    } catch (error) {
      console.error(error);
      outcome.textContent = said(error);
    }
  }
}

function roles(id: string, chosen: string): HTMLSelectElement {
  return el(
    "select",
    { id },
    Object.entries(ROLES).map(([value, name]) => el("option", { value, selected: value === chosen }, name)),
  );
}

function labelled(name: string, control: HTMLSelectElement): Child {
  return el("div", { class: "inline-field" }, el("label", { for: control.id }, name), control);
}
