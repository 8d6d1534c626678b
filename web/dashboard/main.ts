/** The dashboard: sign in, choose a site, look. Everything it reads goes through functions that check membership. */
import type { Session } from "@supabase/auth-js";
import { byId, el } from "../shared/dom.ts";
import { themeSwitch } from "../shared/theme.ts";
import { connect } from "./client.ts";
import { mySites, type Site } from "./kpi.ts";
import { explain } from "./panel.ts";
import { settings } from "./settings.ts";
import { signInForm } from "./signin.ts";
import { language, LANGUAGES, speak, t } from "./texts.ts";

const { url, key } = settings();
const client = connect(url, key);
const main = byId("main");
/** The secret of a link for a screen. It stands after the `#`, which no server or log ever sees. */
const secret = /^#wall=([0-9a-f]{64})$/.exec(location.hash)?.[1];
const views = import("./views.ts");
let shown: string | undefined;
type HeadText = "Skip to the numbers" | "Site" | "Saved views" | "Settings" | "Sign out";

// The head of the page is there before any of this runs; its words are those of the page's own language until now.
document.documentElement.lang = language;
for (const part of document.querySelectorAll("[data-text]")) part.textContent = t(part.textContent as HeadText);
byId("views").setAttribute("aria-label", t("Views"));
byId("language").replaceWith(languageChoice());
byId("theme").replaceWith(themeSwitch(t("Dark theme"), true));
document.addEventListener("click", ({ target }) => closeOthers(target as Node));
document.addEventListener("keydown", ({ key }) => key === "Escape" && closeOthers());
byId("sign-out").addEventListener("click", () => void client.auth.signOut({ scope: "local" }));

if (secret !== undefined) {
  byId("views").remove();
  void import("./wall.ts").then(({ wall }) => wall(main, client, secret));
} else {
  // The board and its charts are most of the page's weight, so they load while the reader is asked to sign in.
  void import("./board.ts");
  client.auth.onAuthStateChange((_, session) => {
    // Calls to the client from inside this callback would wait for it to end.
    setTimeout(() => void show(session), 0);
  });
}

async function show(session: Session | null): Promise<void> {
  const user = session?.user.id ?? "";
  if (shown === user) return;
  shown = user;
  byId("sign-out").hidden = session === null;
  byId("site").hidden = true;
  byId("saved").hidden = true;
  if (!session) {
    void views.then(({ close }) => close());
    main.replaceChildren(signInForm(client));
    return;
  }
  // Nothing stands here until the view does: what stood here would be moved by the links above it.
  main.replaceChildren();
  try {
    choose(await mySites(client), user);
  } catch (error) {
    console.error(error);
    main.replaceChildren(
      note(
        t("Your sites could not be read"),
        explain(error),
        el("button", {
          class: "button",
          type: "button",
          onclick: () => location.reload(),
        }, t("Try again")),
      ),
    );
  }
}

function choose(sites: readonly Site[], user: string): void {
  const wanted = new URLSearchParams(location.search).get("site");
  const [first] = sites;
  if (!first) {
    main.replaceChildren(
      note(
        t("No site yet"),
        t("You are signed in, but no site has made you a member. Give a site's owner the id of your account:"),
        el("code", {}, user),
      ),
    );
    return;
  }
  const select = byId<HTMLSelectElement>("site-choice");
  const chosen = sites.find(({ id }) => id === wanted) ?? first;
  select.replaceChildren(...sites.map(({ id, name }) => el("option", { value: id, selected: id === chosen.id }, name)));
  select.onchange = () => {
    const next = sites.find(({ id }) => id === select.value);
    if (next) void open(next);
  };
  byId("site").hidden = false;
  void open(chosen);
}

async function open(site: Site): Promise<void> {
  const address = new URL(location.href);
  address.searchParams.set("site", site.id);
  history.replaceState(null, "", address);
  await (await views).open(main, client, site);
  performance.mark("interactive");
}

function note(title: string, text: string, action?: HTMLElement): HTMLElement {
  return el("div", { class: "page-note" }, el("h1", {}, title), el("p", {}, text), action);
}

/** Shuts what is open in the head, but for what holds this. Whoever was in it stands where it is opened. */
function closeOthers(kept?: Node): void {
  for (const drop of document.querySelectorAll<HTMLDetailsElement>(".masthead .drop[open]")) {
    if (kept && drop.contains(kept)) continue;
    if (!kept && drop.contains(document.activeElement)) drop.querySelector("summary")?.focus();
    drop.open = false;
  }
}

function languageChoice(): HTMLElement {
  const choice = el(
    "select",
    {
      onchange: (event) => speak((event.currentTarget as HTMLSelectElement).value),
    },
    Object.entries(LANGUAGES).map(([value, name]) =>
      el("option", { value, lang: value, selected: value === language }, name)
    ),
  );
  return el("label", { class: "field" }, el("span", {}, t("Language")), choice);
}
