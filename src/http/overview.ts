/**
 * What the first page of the dashboard shows, for all who look at once: from roll-ups and bounded reads, kept for some seconds.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { TaskBackendError } from "../TaskError.js"
import type { TaskManager } from "../TaskManager.js"
import * as TaskRecord from "../TaskRecord.js"
import type { Rollup } from "../TaskRollup.js"
import * as Charts from "./charts.js"
import type { Overview, OverviewTask } from "./ChartShapes.js"
import * as Facets from "./facets.js"
import type { Parts } from "./parts.js"
import * as RenewedCache from "./renewedCache.js"
import { iso } from "./TaskView.js"

const minute = 60_000
const hour = 60 * minute

/** The windows there are: how many slots of which width. What is older than three hours is known by the hour alone. */
export const windows = {
  "15m": { slots: 15, width: minute },
  "1h": { slots: 60, width: minute },
  "24h": { slots: 24, width: hour },
  "7d": { slots: 84, width: 2 * hour }
} as const

export type Window = keyof typeof windows

const most = { tasks: 10, late: 10, schedules: 1_000, waiting: 20 }
const graceOfSchedules = minute

interface Slots {
  readonly from: number
  readonly now: number
  readonly width: number
}

/** The slots of the window that ends with the one that now is in. */
export const slotsOf = (window: Window, now: number): Slots => {
  const { slots, width } = windows[window]
  return { from: Charts.slotOf(now, width) - (slots - 1) * width, now, width }
}

const badOf = ({ ends }: Pick<Rollup, "ends">): number => ends.failed + ends.interrupted
const endedOf = (rollup: Pick<Rollup, "ends">): number => badOf(rollup) + rollup.ends.success + rollup.ends.cancelled

interface Named {
  readonly taskName: string
  readonly ended: ReadonlyArray<number>
  readonly bad: ReadonlyArray<number>
}

const total = (numbers: ReadonlyArray<number>): number => numbers.reduce((sum, one) => sum + one, 0)

/** By name, those with the most failures first, then those with the most ends. */
export const byName = (rollups: ReadonlyArray<Rollup>, { from, now, width }: Slots): ReadonlyArray<Named> => {
  const slots = Math.ceil((now + 1 - from) / width)
  const names = new Map<string, { readonly ended: Array<number>; readonly bad: Array<number> }>()
  for (const rollup of rollups) {
    const slot = Math.floor((rollup.at - from) / width)
    if (rollup.taskName === null || slot < 0 || slot >= slots) continue
    const one = names.get(rollup.taskName) ?? { ended: Array(slots).fill(0), bad: Array(slots).fill(0) }
    names.set(rollup.taskName, one)
    one.ended[slot]! += endedOf(rollup)
    one.bad[slot]! += badOf(rollup)
  }
  return [...names]
    .map(([taskName, one]) => ({ taskName, ...one }))
    .sort((a, b) =>
      total(b.bad) - total(a.bad) || total(b.ended) - total(a.ended) || (a.taskName < b.taskName ? -1 : 1)
    )
}

const seriesOf = (manager: TaskManager["Type"], window: Window) =>
  Effect.gen(function*() {
    const slots = slotsOf(window, yield* Clock.currentTimeMillis)
    const { from, now, width } = slots
    const before = from - windows[window].slots * width
    const rollups = yield* manager.rollups({ since: before, until: now + 1, width })
    const current = rollups.filter(({ at }) => at >= from)
    const named = byName(
      yield* manager.rollups({ since: from, until: now + 1, width, byTask: true, histograms: false }),
      slots
    )
    const shown = named.slice(0, most.tasks)
    const sums = new Map(
      (yield* manager.rollups({
        since: from,
        until: now + 1,
        width,
        byTask: true,
        asOne: true,
        taskNames: shown.map(({ taskName }) => taskName)
      })).map((rollup) => [rollup.taskName, rollup])
    )
    const tasks = shown.map((one): typeof OverviewTask.Type => {
      const { durations, ends } = sums.get(one.taskName) ?? Charts.sumOf([])
      return { ...one, ...ends, durations: Charts.spread(durations) }
    })
    return {
      took: (yield* Clock.currentTimeMillis) - now,
      current: Charts.windowStats(current, from, now),
      previous: Charts.windowStats(rollups.filter(({ at }) => at < from), before, from),
      width,
      items: Charts.buckets(current, { from, to: now + 1, width }),
      tasks,
      names: named.length
    }
  })

/** Of the oldest pending tasks the one that waits longest. One that is not due yet does not wait. */
export const longestWaiting = (
  pending: ReadonlyArray<TaskRecord.TaskRecord>,
  now: number
): (typeof Overview.Type)["waiting"] => {
  const since = (record: TaskRecord.TaskRecord) => Math.max(record.createdAt, TaskRecord.dueAt(record) ?? 0)
  const [first] = pending.filter((record) => since(record) <= now).sort((a, b) => since(a) - since(b))
  return first === undefined
    ? null
    : { taskId: first.taskId, taskName: first.taskName, since: iso(since(first)) }
}

const lateOf = ({ schedules }: TaskManager["Type"]) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const late: Array<{ readonly name: string; readonly taskName: string; readonly slot: number }> = []
    let cursor: string | undefined
    for (let read = 0; read < most.schedules; read += 200) {
      const { items, nextCursor } = yield* schedules.list({ limit: 200, cursor })
      for (const { name, nextSlot, taskName } of items) {
        if (nextSlot !== null && nextSlot < now - graceOfSchedules) late.push({ name, taskName, slot: nextSlot })
      }
      if (nextCursor === null) break
      cursor = nextCursor
    }
    return late.sort((a, b) => a.slot - b.slot).slice(0, most.late).map(({ slot, ...one }) => ({
      ...one,
      slot: iso(slot)
    }))
  })

const waitingOf = (manager: TaskManager["Type"]) =>
  Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    const { items } = yield* manager.list({ status: ["pending"], order: "oldest", limit: most.waiting })
    return longestWaiting(items, now)
  })

/** Asks the backend once for all who look within some seconds. */
export const make = (parts: Parts) =>
  Effect.gen(function*() {
    const { attention, manager } = parts
    const series = yield* RenewedCache.make({
      capacity: Object.keys(windows).length,
      lookup: (window: Window) => seriesOf(manager, window),
      timeToLive: Exit.match({
        onFailure: () => Duration.zero,
        // A chart of a week need not be asked for as often as one of an hour; and what takes long is kept longer, so that whoever
        // looks costs the backend a twentieth of a connection at most.
        onSuccess: ({ took, width }) => Duration.millis(Math.min(60_000, Math.max(2_000, width / 360, 20 * took)))
      })
    })
    const waiting = yield* Effect.cachedWithTTL(waitingOf(manager), "2 seconds")
    const groups = yield* Effect.cachedWithTTL(attention.groups, "2 seconds")
    const late = yield* Effect.cachedWithTTL(lateOf(manager), "5 seconds")
    return (window: Window): Effect.Effect<typeof Overview.Type, TaskBackendError> =>
      Effect.gen(function*() {
        const { atLeast, pending, retrying, running } = yield* Facets.facets(parts, { status: ["pending", "running"] })
          .pipe(Effect.catchTag("TaskFilterError", Effect.die))
        const { took: _, ...known } = yield* series.get(window)
        return {
          ...known,
          atLeast,
          pending,
          retrying,
          running,
          attention: yield* groups,
          waiting: pending === 0 ? null : yield* waiting,
          late: yield* late
        }
      })
  })
