/** Since when the history is proven, in a sentence; nothing where nobody ever sealed it. */
import { type Child, el } from "../../shared/dom.ts";
import { dateTime } from "../format.ts";
import type { HistoryProof } from "../room.ts";
import { t } from "../texts.ts";

const rows = (count: number) => t("{count} row | {count} rows", { count });

export function provenSince(proof: HistoryProof | undefined, zone: string): Child {
  if (!proof || proof.sealed_rows === null) return null;
  const { proven_since, proven_rows, signed_at, sealed_rows, sealing } = proof;
  const stopped = sealing ? "" : t(" Sealing is off, so what comes now is not proven.");
  if (proven_since === null || signed_at === null) {
    return el(
      "p",
      { class: "quiet small proof" },
      t("Sealed: {rows}. No checkpoint was signed yet: until one is, nothing is proven.", { rows: rows(sealed_rows) }),
      stopped,
    );
  }
  return el(
    "p",
    { class: "quiet small proof" },
    el("strong", {}, t("This history is proven since {time}.", { time: dateTime(proven_since, zone) })),
    t(
      " The newest checkpoint holds for {rows} and was signed {time}; whoever keeps it can tell if one of them was changed.",
      { rows: rows(proven_rows ?? 0), time: dateTime(signed_at, zone) },
    ),
    stopped,
  );
}
