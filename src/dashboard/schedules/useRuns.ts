/** The last runs of a schedule, and the slots that had none: asked for when the row is seen. */
import { useEffect, useRef, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isEnded, type Schedule, type ScheduleRun, type ScheduleRuns } from "../api/types.js"

export type Gap = ScheduleRuns["gaps"][number]

export interface Runs {
  /** Oldest first; null before the first answer. */
  readonly runs: ReadonlyArray<ScheduleRun> | null
  /** The newest first. */
  readonly gaps: ReadonlyArray<Gap>
  readonly failed: boolean
}

interface Asked {
  readonly schedule: Schedule
  /** Counts answers of the list: while a run has not ended, each asks again. */
  readonly turn: number
  /** Counts what was done to the schedule here. */
  readonly done: number
}

const nothing: Runs = { runs: null, gaps: [], failed: false }

export const useRuns = ({ done, schedule, turn }: Asked) => {
  const ref = useRef<HTMLTableRowElement>(null)
  const [seen, setSeen] = useState(false)
  const [state, setState] = useState(nothing)
  useEffect(() => {
    if (ref.current === null) return
    const watching = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true)
    })
    watching.observe(ref.current)
    return () => watching.disconnect()
  }, [])
  const { lastSlot, lastStatus, lastTask, name } = schedule
  const isMoving = state.failed || state.runs?.some((run) => !isEnded(run)) === true
  useEffect(() => {
    if (!seen) return
    const asking = new AbortController()
    endpoints.scheduleRuns(name, asking.signal).then(
      ({ gaps, items }) => setState({ runs: [...items].reverse(), gaps, failed: false }),
      () => asking.signal.aborted ? undefined : setState((before) => ({ ...before, failed: true }))
    )
    return () => asking.abort()
  }, [seen, name, lastSlot, lastTask, lastStatus, done, isMoving ? turn : 0])
  return { ref, ...state }
}
