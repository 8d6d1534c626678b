/** What came through and what was turned away: accepted above the line, refused below it. */
import { day, percent, short } from "../format.ts";
import type { Quality } from "../kpi.ts";
import type { Size } from "./frame.ts";
import { barsOverTime, byGrain, type Grain } from "./time.ts";
import { t } from "../texts.ts";

export function qualityChart(
  rows: readonly Quality[],
  { width, grain }: Size & { readonly grain: Grain },
): SVGSVGElement {
  const whole = rows.filter(({ rule_id }) => rule_id === null);
  return barsOverTime(
    {
      label: byGrain(t("Accepted and refused events"), grain),
      width,
      grain,
      write: (value) => short(Math.abs(value)),
    },
    whole.map(({ period, accepted, rejected, rate }) => ({
      period,
      parts: [{ value: accepted, fill: "var(--pine)" }, { value: -rejected, fill: "var(--madder)" }],
      tip: `${day(period)}\n${
        t("{accepted} accepted, {refused} refused ({share})", {
          accepted: short(accepted),
          refused: short(rejected),
          share: percent(rate),
        })
      }`,
    })),
  );
}
