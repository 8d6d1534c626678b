/** Signing in with an e-mail address and a password, against the project's own auth. */
import type { Client } from "./client.ts";
import { el } from "../shared/dom.ts";
import { settings } from "./settings.ts";
import { rich, t } from "./texts.ts";

export function signInForm(client: Client): HTMLElement {
  const { demo } = settings();
  const email = el("input", { id: "email", type: "email", autocomplete: "username", required: true });
  const password = el("input", { id: "password", type: "password", autocomplete: "current-password", required: true });
  const problem = el("p", { class: "problem", role: "alert" });
  const button = el("button", { class: "button primary", type: "submit" }, t("Sign in"));
  const form = el(
    "form",
    { class: "signin card", onsubmit: (event) => void submit(event) },
    el("h1", {}, t("Dashboard")),
    el("p", { class: "quiet" }, t("The figures of your sites. Members only.")),
    el("div", { class: "field" }, el("label", { for: "email" }, t("E-mail")), email),
    el("div", { class: "field" }, el("label", { for: "password" }, t("Password")), password),
    problem,
    button,
    demo &&
      el(
        "div",
        { class: "hint" },
        el(
          "p",
          {},
          rich("This is the local stack. Its demo member is {email} with the password {password}.", {
            email: el("code", {}, demo.email),
            password: el("code", {}, demo.password),
          }),
        ),
        el("button", { class: "button", type: "button", onclick: fill }, t("Fill in")),
      ),
  );
  return form;

  function fill(): void {
    if (!demo) return;
    email.value = demo.email;
    password.value = demo.password;
    button.focus();
  }

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    problem.textContent = "";
    button.disabled = true;
    const { error } = await client.auth.signInWithPassword({ email: email.value, password: password.value });
    button.disabled = false;
    if (!error) return;
    problem.textContent = error.status === 400 || error.status === 401 || error.status === 422
      ? t("This address and password do not match. Check both and try again.")
      : t("The sign-in service did not answer. Check the connection and try again.");
    password.focus();
  }
}
