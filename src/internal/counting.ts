/** What counting means in every backend: how far, and of what. Pure. */
import type { Counted, Unfinished } from "../TaskBackend.js"
import * as TaskStatus from "../TaskStatus.js"
import { howMany } from "./listing.js"

/** How far a status is counted when nobody said: one more than "10,000" can show. */
export const usualCount = 10_001

/** How far a status is counted. */
export const countedTo = (most: number): number => howMany(most, 1, 100_000, usualCount)

/** How many tasks are looked at before counting stops, where an index does not tell. */
export const lookedAt = (most: number): number => Math.max(10_000, most)

/** How many unfinished tasks are looked at to count them by name, and how many names are answered. */
export const unfinishedLooked = 50_000
export const mostNames = 1_000

/** The statuses asked for, each once, in their order. */
export const askedOf = (
  status: ReadonlyArray<TaskStatus.TaskStatus> | undefined
): ReadonlyArray<TaskStatus.TaskStatus> => TaskStatus.all.filter((one) => status?.includes(one) ?? true)

/** What was found, cut to `most`. `stopped`: in which statuses counting stopped before all was looked at. */
export const counted = (
  found: ReadonlyMap<TaskStatus.TaskStatus, number>,
  most: number,
  stopped: ReadonlySet<TaskStatus.TaskStatus> = new Set(),
  retrying?: number | undefined
): Counted => {
  const counts = { pending: 0, running: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 }
  for (const [status, many] of found) counts[status] = Math.min(most, many)
  const capped = TaskStatus.all.filter((status) => counts[status] === most || stopped.has(status))
  return retrying === undefined ? { counts, capped } : { counts, capped, retrying: Math.min(counts.running, retrying) }
}

/** Nothing was found. */
export const noCounts: Counted = counted(new Map(), 1, new Set(), 0)

/** Of two backends that have different tasks. */
export const countedTogether = (a: Counted, b: Counted, most: number): Counted =>
  counted(
    new Map(TaskStatus.all.map((status) => [status, a.counts[status] + b.counts[status]])),
    most,
    new Set([...a.capped, ...b.capped]),
    a.retrying === undefined || b.retrying === undefined ? undefined : a.retrying + b.retrying
  )

/** The names with the most unfinished tasks, those first. `stopped`: there may be more than are here. */
export const byName = (tasks: Unfinished["tasks"], stopped = false): Unfinished => {
  const all = tasks.filter(({ pending, running }) => pending + running > 0)
  all.sort((a, b) => b.pending + b.running - a.pending - a.running || (a.taskName < b.taskName ? -1 : 1))
  return { tasks: all.slice(0, mostNames), capped: stopped || all.length > mostNames }
}

/** The same of two backends that have different tasks. */
export const unfinishedTogether = (a: Unfinished, b: Unfinished): Unfinished => {
  const named = new Map<string, { readonly taskName: string; pending: number; running: number }>()
  for (const { pending, running, taskName } of [...a.tasks, ...b.tasks]) {
    const before = named.get(taskName)
    named.set(taskName, {
      taskName,
      pending: pending + (before?.pending ?? 0),
      running: running + (before?.running ?? 0)
    })
  }
  return byName([...named.values()], a.capped || b.capped)
}
