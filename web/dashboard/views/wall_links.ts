/** Links for screens: made here, shown once, and ended at any time. */
import { el } from "../../shared/dom.ts";
import { dateTime } from "../format.ts";
import type { WallLink } from "../registry_api.ts";
import { action, field, said } from "./parts.ts";
import type { Around } from "./registry.ts";
import { t } from "../texts.ts";

const DAYS = 30;

export async function part(around: Around): Promise<HTMLElement> {
  const { place: { owner } } = around;
  const links = await around.api.wallLinks();
  return el(
    "div",
    {},
    !owner && el("p", { class: "quiet" }, t("Owners of the site make links for screens. Ask one of them.")),
    owner && form(around),
    owner &&
      (links.length === 0
        ? el("p", { class: "nothing" }, t("No link yet."))
        : el("ul", { class: "cards two" }, links.map((link) => card(link, around)))),
  );
}

function card(link: WallLink, { api, done, zone }: Around): HTMLElement {
  const ended = link.revoked_at !== null || Date.parse(link.expires_at) <= Date.now();
  const end = action(t("End it"), async () => {
    await api.endWallLink(link.id);
    await done(t("The link {name} has ended.", { name: link.name }));
    return null;
  }, "button small");
  end.button.setAttribute("aria-label", t("End it: {name}", { name: link.name }));
  return el(
    "li",
    { class: "card pad", "data-link": link.name },
    el(
      "div",
      { class: "tools" },
      el("h2", {}, link.name),
      el("span", { class: `tag ${ended ? "" : "pass"}` }, ended ? t("ended") : t("holds")),
    ),
    el(
      "p",
      { class: "quiet small" },
      t("Made {time}. ", { time: dateTime(link.created_at, zone) }),
      link.revoked_at === null
        ? t(ended ? "It ended {time}." : "It ends {time}.", { time: dateTime(link.expires_at, zone) })
        : t("It was ended {time}.", { time: dateTime(link.revoked_at, zone) }),
    ),
    !ended && end.button,
    end.outcome,
  );
}

function form({ api }: Around): HTMLElement {
  const name = el("input", { id: "wall-name", maxlength: 64, required: true, autocomplete: "off" });
  const days = el("input", { id: "wall-days", type: "number", min: 1, max: 366, step: 1, value: DAYS, required: true });
  const outcome = el("div", { class: "outcome", role: "status" });
  return el(
    "form",
    { class: "card pad", "aria-labelledby": "new-wall", onsubmit: (event) => void add(event) },
    el("h2", { id: "new-wall" }, t("A link for a screen")),
    el(
      "p",
      { class: "quiet" },
      t("Whoever has it sees the figures of this site, without signing in, and nothing else. It ends by itself, or here."),
    ),
    el("div", { class: "narrow wide" }, field(t("Where the screen hangs"), name), field(t("Days that it holds"), days)),
    el("button", { class: "button primary", type: "submit" }, t("Make the link")),
    outcome,
  );

  async function add(event: Event): Promise<void> {
    event.preventDefault();
    try {
      const secret = await api.addWallLink(name.value, Number(days.value));
      const address = `${location.origin}${location.pathname}#wall=${secret}`;
      const shown = el("input", { id: "wall-address", class: "mono", readonly: true, value: address });
      outcome.replaceChildren(
        el(
          "div",
          { class: "wide" },
          field(t("Its address, which is shown only now"), shown),
          el("button", {
            class: "button small",
            type: "button",
            onclick: () => void navigator.clipboard.writeText(address).catch(() => shown.select()),
          }, t("Copy")),
        ),
      );
      shown.focus();
      shown.select();
    } catch (error) {
      console.error(error);
      outcome.replaceChildren(el("p", { class: "problem" }, said(error)));
    }
  }
}
