// The gate before everything: no consent, or a signal against tracking, means that nothing is written or sent.
import type { Area } from "./area.ts";
import { automation } from "./automation.ts";
import type { ConsentState, TrackResult } from "./types.ts";

type Withheld = Extract<TrackResult, { status: "withheld" }>["reason"];
type Given = { state: ConsentState; at: string; version?: string | undefined };

export type Privacy = {
  withheld(): Withheld | undefined;
  permission(): ConsentState | "privacy_signal";
  /** Members of metadata that record with each event on what ground it was tracked. */
  record(): { [key: string]: string };
  set(state: ConsentState, version?: string): void;
  /** Adopts what was chosen on an earlier page or in another tab. */
  reload(): void;
};

export function createPrivacy(
  area: Area,
  key: string,
  initial: ConsentState,
  initialVersion: string | undefined,
  respectSignals: boolean,
  withholdAutomation: boolean,
): Privacy {
  const decide = (state: ConsentState, version?: string): Given => ({
    state,
    version,
    at: new Date().toISOString(),
  });
  let given = decide(initial, initialVersion);
  const reload = () => {
    try {
      const kept = JSON.parse(area.get(key) ?? "") as Given;
      // A choice is only valid for the text it was made about.
      if (kept.version === initialVersion) given = kept;
    } catch {
      // nothing was chosen yet
    }
  };
  if (initial === "ask") reload();
  const permission = () => {
    const { globalPrivacyControl, doNotTrack } = navigator as Navigator & {
      globalPrivacyControl?: boolean;
      doNotTrack?: string | null;
    };
    return respectSignals && (globalPrivacyControl || doNotTrack === "1") ? "privacy_signal" : given.state;
  };
  return {
    reload,
    permission,
    withheld() {
      const now = permission();
      if (now !== "granted" && now !== "not_required") return now === "privacy_signal" ? now : "consent";
      return withholdAutomation && automation() ? "automation" : undefined;
    },
    record: () => ({
      tracking_consent: given.state,
      tracking_consent_at: given.at,
      ...(given.version && { tracking_consent_version: given.version }),
    }),
    set(state, version = initialVersion) {
      given = decide(state, version);
      // Only the choice itself is kept, so that nobody is asked on every page.
      area.set(key, JSON.stringify(given));
    },
  };
}
