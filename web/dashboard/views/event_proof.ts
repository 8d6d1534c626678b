/** *Prove this event*: the proof is fetched, and checked here, in the reader's browser. */
import { el } from "../../shared/dom.ts";
import { checkProof } from "../../shared/proof.ts";
import type { Room, WholeEvent } from "../room.ts";

export function eventProof(api: Room, event: WholeEvent): HTMLElement {
  const key = el("input", { id: "proof-key", required: true, spellcheck: false, autocomplete: "off", maxlength: 300 });
  const told = el("p", { role: "status" });
  const form = el(
    "form",
    {},
    el("label", { for: "proof-key" }, "Public key of whoever signs the checkpoints"),
    key,
    el("button", { type: "submit" }, "Prove this event"),
    told,
  );
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    told.textContent = "Asking for the proof…";
    proven(api, event, (key as HTMLInputElement).value).catch(reason).then((text) => told.textContent = text);
  });
  return el("details", { class: "card pad" }, el("summary", {}, "Is this what was recorded?"), form);
}

async function proven(api: Room, event: WholeEvent, key: string): Promise<string> {
  const proof = await api.eventProof(event.id);
  if (proof === null) return "It is not sealed, or no checkpoint was signed since.";
  const { kind, values, origin, size } = await checkProof(proof, key);
  const [id, time, , rejected, type, category, source, contract] = values;
  const isShown = kind === "event" && id === event.id &&
    Math.floor(Number(time) / 1000) === Date.parse(event.created_at) &&
    rejected === (event.rejected ? "t" : "f") && type === event.event_type && category === event.event_category &&
    source === event.event_source && contract === event.contract;
  if (!isShown) return "The proof is of something else than what is shown here: what is shown was changed.";
  return `Proven: its id, time, verdict, type, category, source and contract are those that were sealed as row ${
    proof.leaf_index + 1
  } of the ${size} under a checkpoint of ${origin}. Compare the checkpoint with one that somebody else has kept.`;
}

const reason = (error: unknown) =>
  `It proves nothing: ${error instanceof Error ? error.message : "the browser cannot check it"}`;
