/** The e-mail hash, worked out on this page: what the gate stores instead of an address. */
import { byId } from "../shared/dom.ts";
import type { Gate } from "./gate.ts";

export function hashPanel(gate: Gate): void {
  const email = byId<HTMLInputElement>("hash-email");
  const pepper = byId<HTMLInputElement>("hash-pepper");
  const output = byId<HTMLOutputElement>("hash-output");
  const note = byId("hash-note");
  for (const input of [email, pepper]) input.addEventListener("input", update);
  update();

  function update(): void {
    if (email.value === "") {
      output.textContent = "";
      note.textContent =
        "Spaces at both ends are removed and letters become lower case, then SHA-256 is applied. Dots and plus signs stay, because they can make different mailboxes.";
      return;
    }
    const hash = pepper.value === "" ? gate.hashEmail(email.value) : gate.hashEmail(email.value, pepper.value);
    output.textContent = hash ?? "";
    note.textContent = hash === undefined
      ? "Not a valid e-mail address, so the gate would not take it."
      : pepper.value === ""
      ? "SHA-256 of the address."
      : "HMAC-SHA-256, keyed by the pepper, of the SHA-256 of the address.";
  }
}
