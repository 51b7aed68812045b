/** How much of something is used, as a bar and in numbers. */
import { t } from "../text/en.js"
import * as format from "../text/format.js"

/** From here on a gauge warns: bursts have little room left. */
const nearlyFull = 0.85

interface GaugeProps {
  readonly active: number
  readonly max: number
  readonly label: string
}

export const Gauge = ({ active, label, max }: GaugeProps) => {
  const part = max === 0 ? 0 : Math.min(1, active / max)
  return (
    <span class="gauge">
      <span
        class={part >= nearlyFull ? "bar full" : "bar"}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={max}
        aria-valuenow={Math.min(active, max)}
        aria-valuetext={t.instances.slotsOf(active, max)}
      >
        <i style={{ width: `${Math.round(part * 100)}%` }} />
      </span>
      <span>{format.count(active)} / {format.count(max)}</span>
    </span>
  )
}
