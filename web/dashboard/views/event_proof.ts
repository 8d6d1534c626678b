/** *Prove this event*: the proof is fetched, and checked here, in the reader's browser. */
import { el } from "../../shared/dom.ts";
import { checkProof } from "../../shared/proof.ts";
import type { Room, WholeEvent } from "../room.ts";
import { t } from "../texts.ts";

export function eventProof(api: Room, event: WholeEvent): HTMLElement {
  const key = el("input", { id: "proof-key", required: true, spellcheck: false, autocomplete: "off", maxlength: 300 });
  const told = el("p", { role: "status" });
  const form = el(
    "form",
    { class: "report" },
    el(
      "div",
      { class: "field wide" },
      el("label", { for: "proof-key" }, t("Public key of whoever signs the checkpoints")),
      key,
    ),
    el("button", { class: "button primary", type: "submit" }, t("Prove this event")),
    told,
  );
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    told.textContent = t("Asking for the proof…");
    proven(api, event, (key as HTMLInputElement).value).catch(reason).then((text) => told.textContent = text);
  });
  return el("details", { class: "card pad" }, el("summary", {}, t("Is this what was recorded?")), form);
}

async function proven(api: Room, event: WholeEvent, key: string): Promise<string> {
  const proof = await api.eventProof(event.id);
  if (proof === null) return t("It is not sealed, or no checkpoint was signed since.");
  const { kind, values, origin, size } = await checkProof(proof, key);
  const [id, time, , rejected, type, category, source, contract] = values;
  const isShown = kind === "event" && id === event.id &&
    Math.floor(Number(time) / 1000) === Date.parse(event.created_at) &&
    rejected === (event.rejected ? "t" : "f") && type === event.event_type && category === event.event_category &&
    source === event.event_source && contract === event.contract;
  if (!isShown) return t("The proof is of something else than what is shown here: what is shown was changed.");
  return t(
    "Proven: its id, time, verdict, type, category, source and contract are those that were sealed as row {row} of the {size} under a checkpoint of {origin}. Compare the checkpoint with one that somebody else has kept.",
    { row: proof.leaf_index + 1, size, origin },
  );
}

const reason = (error: unknown) =>
  t("It proves nothing: {why}", { why: error instanceof Error ? error.message : t("the browser cannot check it") });
