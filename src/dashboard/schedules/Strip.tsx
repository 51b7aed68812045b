/** How the last runs of a schedule ended, as bars: oldest first, what went wrong in full height. Asked for when it is seen. */
import { useEffect, useRef, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Schedule, ScheduleRun } from "../api/types.js"
import { isEnded } from "../api/types.js"
import { href } from "../location.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { term } from "./shown.js"

interface StripProps {
  readonly schedule: Schedule
  /** Counts answers of the list: while a run has not ended, each asks for the strip again. */
  readonly turn: number
  /** Counts what was done to the schedule here. */
  readonly done: number
}

const isBad = ({ status }: ScheduleRun): boolean => status === "failed" || status === "interrupted"

const titleOf = ({ createdAt, duration, slot, status }: ScheduleRun): string =>
  [
    t.status[status],
    format.fullTime(Date.parse(slot ?? createdAt), utc.value),
    ...duration === null ? [] : [format.duration(duration)]
  ].join(" · ")

const useSeen = () => {
  const ref = useRef<HTMLDivElement>(null)
  const [seen, setSeen] = useState(false)
  useEffect(() => {
    if (ref.current === null) return
    const watching = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true)
    })
    watching.observe(ref.current)
    return () => watching.disconnect()
  }, [])
  return { ref, seen }
}

export const Strip = ({ done, schedule: { lastStatus, lastTask, name }, turn }: StripProps) => {
  const { ref, seen } = useSeen()
  const [runs, setRuns] = useState<ReadonlyArray<ScheduleRun> | null>(null)
  const [failed, setFailed] = useState(false)
  const isMoving = failed || runs?.some((run) => !isEnded(run)) === true
  useEffect(() => {
    if (!seen) return
    const asking = new AbortController()
    endpoints.scheduleRuns(name, asking.signal).then(
      ({ items }) => {
        setRuns([...items].reverse())
        setFailed(false)
      },
      () => asking.signal.aborted ? undefined : setFailed(true)
    )
    return () => asking.abort()
  }, [seen, name, lastTask, lastStatus, done, isMoving ? turn : 0])
  const shown = runs ?? []
  const label = t.schedules.strip(shown.length, shown.filter(isBad).length)
  return (
    <div class="strip-cell" ref={ref}>
      {runs === null
        ? <span class="dim">{failed ? t.schedules.noStrip : ""}</span>
        : shown.length === 0
        ? <span class="dim">{t.schedules.noRuns}</span>
        : (
          <a class="strip" href={href("runs", { q: term("schedule", name), since: "all" })} aria-label={label}>
            {shown.map((run) => <i key={run.taskId} class={run.status} title={titleOf(run)} />)}
          </a>
        )}
    </div>
  )
}
