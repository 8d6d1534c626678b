/** Since when the history is proven, in a sentence; nothing where nobody ever sealed it. */
import { type Child, el } from "../../shared/dom.ts";
import { count, dateTime } from "../format.ts";
import type { HistoryProof } from "../room.ts";

const rows = (n: number) => `${count(n)} ${n === 1 ? "row" : "rows"}`;

export function provenSince(proof: HistoryProof | undefined, zone: string): Child {
  if (!proof || proof.sealed_rows === null) return null;
  const { proven_since, proven_rows, signed_at, sealed_rows, sealing } = proof;
  const stopped = sealing ? "" : " Sealing is off, so what comes now is not proven.";
  if (proven_since === null || signed_at === null) {
    return el(
      "p",
      { class: "quiet small proof" },
      `Sealed: ${rows(sealed_rows)}. No checkpoint was signed yet: until one is, nothing is proven.${stopped}`,
    );
  }
  return el(
    "p",
    { class: "quiet small proof" },
    el("strong", {}, `This history is proven since ${dateTime(proven_since, zone)}.`),
    ` The newest checkpoint holds for ${rows(proven_rows ?? 0)} and was signed ${dateTime(signed_at, zone)}; ` +
      `whoever keeps it can tell if one of them was changed.${stopped}`,
  );
}
