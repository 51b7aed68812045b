/** How the last runs of a schedule ended, as bars: oldest first, what went wrong in full height, slots without a run as marks. */
import type { Schedule, ScheduleRun } from "../api/types.js"
import * as clock from "../clock.js"
import { href } from "../location.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { term } from "./shown.js"
import type { Gap, Runs } from "./useRuns.js"

interface StripProps extends Runs {
  readonly schedule: Schedule
}

const most = 60

const isBad = ({ status }: ScheduleRun): boolean => status === "failed" || status === "interrupted"

interface Mark {
  readonly at: number
  readonly kind: string
  readonly title: string
}

const ofRun = ({ createdAt, duration, slot, status }: ScheduleRun): Mark => {
  const at = Date.parse(slot ?? createdAt)
  const parts = [
    t.status[status],
    format.fullTime(at, utc.value),
    ...duration === null ? [] : [format.duration(duration)]
  ]
  return { at, kind: status, title: parts.join(" · ") }
}

const ofGap = ({ reason, slot }: Gap): Mark => {
  const at = Date.parse(slot)
  return { at, kind: `gap ${reason}`, title: `${t.schedules.gap[reason]} · ${format.fullTime(at, utc.value)}` }
}

/** Slots that passed without a run: how many, and the latest. */
const Gaps = ({ gaps }: { readonly gaps: ReadonlyArray<Gap> }) => {
  const latest = gaps[0]
  if (latest === undefined) return null
  const time = format.nearTime(Date.parse(latest.slot), clock.now.value, utc.value)
  const overlaps = gaps.filter(({ reason }) => reason === "overlap").length
  const words = overlaps === gaps.length ? t.schedules.overlapped : t.schedules.passedOver
  return (
    <span class="gaps" title={t.schedules.gapsWhy(overlaps, gaps.length - overlaps)}>{words(gaps.length, time)}</span>
  )
}

export const Strip = ({ failed, gaps, runs, schedule: { name } }: StripProps) => {
  const shown = runs ?? []
  const marks = [...shown.map(ofRun), ...gaps.map(ofGap)].sort((a, b) => a.at - b.at).slice(-most)
  const label = t.schedules.strip(shown.length, shown.filter(isBad).length)
  return (
    <div class="strip-cell">
      {runs === null
        ? <span class="dim">{failed ? t.schedules.noStrip : ""}</span>
        : shown.length === 0
        ? gaps.length === 0 ? <span class="dim">{t.schedules.noRuns}</span> : null
        : (
          <a class="strip" href={href("runs", { q: term("schedule", name), since: "all" })} aria-label={label}>
            {marks.map(({ at, kind, title }) => <i key={`${at} ${kind}`} class={kind} title={title} />)}
          </a>
        )}
      <Gaps gaps={gaps} />
    </div>
  )
}
