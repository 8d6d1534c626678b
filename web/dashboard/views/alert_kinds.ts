/** The kinds of alerts: what each is called, what its threshold means, and when it fires, in words. */
import type { Alert } from "../alerts_api.ts";
import { duration, percent } from "../format.ts";
import { t } from "../texts.ts";

interface Kind {
  readonly name: string;
  /** What the threshold is called; undefined: the window says it all. */
  readonly threshold?: string;
  readonly value: (measured: number) => string;
  /** What is suggested to begin with. */
  readonly begin: number;
}
export const KINDS: Readonly<Record<string, Kind>> = {
  rejected_share: {
    name: t("Too much is refused"),
    threshold: t("More than this share, in %"),
    value: percent,
    begin: 5,
  },
  silence: {
    name: t("A sender fell silent"),
    value: (minutes) => t("{time} of silence", { time: duration(minutes * 60) }),
    begin: 0,
  },
  lag: {
    name: t("States or figures lag behind"),
    threshold: t("More than so many minutes"),
    value: (minutes) => t("{time} behind", { time: duration(minutes * 60) }),
    begin: 30,
  },
  failed_jobs: {
    name: t("Jobs fail"),
    threshold: t("More failed runs than"),
    value: (runs) => t("{count} failed run | {count} failed runs", { count: runs }),
    begin: 0,
  },
  contract_drift: {
    name: t("Another contract judges"),
    threshold: t("More events than"),
    value: (events) => t("{count} event | {count} events", { count: events }),
    begin: 0,
  },
};
/** Kinds that can look at one sender alone. */
export const OF_SENDER = ["rejected_share", "silence"];

/** A share is typed in per cent. */
export function scaleOf(kind: string): number {
  return kind === "rejected_share" ? 100 : 1;
}

export function condition({ kind, threshold, minutes }: Alert): string {
  const time = duration(minutes * 60);
  switch (kind) {
    case "rejected_share":
      return t("Fires when more than {share} of at least ten events received in {time} are refused.", {
        share: percent(threshold),
        time,
      });
    case "silence":
      return t("Fires when nothing was accepted for {time}, though something was in the week before.", { time });
    case "lag":
      return t("Fires when states or figures were last computed more than {time} ago.", {
        time: duration(threshold * 60),
      });
    case "failed_jobs":
      return t("Fires when more than {runs} runs of jobs failed in {time}.", { runs: threshold, time });
    default:
      return t(
        "Fires when more than {events} events of {time} were judged by another contract than the one in force.",
        {
          events: threshold,
          time,
        },
      );
  }
}
