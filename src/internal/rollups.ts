/**
 * The sums of ended tasks in every backend: which slots a query is about, where a minute is kept as it gets old, and how sums
 * are put together. Pure.
 */
import type { Distribution, Rollup, RollupQuery } from "../TaskRollup.js"
import type { Terminal } from "../TaskStatus.js"
import { mostNames } from "./counting.js"
import { wholeTime } from "./listing.js"

/** Minutes are kept for so many minutes, then hours. */
export const minutesKept = 3 * 60
export const hoursKept = 30 * 24 * 60

const minute = 60_000
const mostSlots = 1_500
const farthest = Math.floor(Number.MAX_SAFE_INTEGER / minute)

export const minuteOf = (at: number): number => Math.floor(at / minute)

/** Where the ends of a minute are kept: by themselves, with their hour, or with all that is older, at 0. */
export const placeOf = (of: number, now: number): number => {
  const age = minuteOf(now) - of
  return age > hoursKept ? 0 : age > minutesKept ? of - of % 60 : of
}

/** Slots of `width` minutes: those that begin from `first` on and before `end`, in minutes. `asOne`: told as one. */
export interface Slots {
  readonly first: number
  readonly end: number
  readonly width: number
  readonly asOne: boolean
}

/** `minute - minute % divider` is the same number for all that is told as one slot. */
export const dividerOf = ({ asOne, end, width }: Slots): number => asOne ? end : width

/** When a slot begins, in milliseconds, from that number. */
export const beginOf = ({ asOne, first }: Slots, slot: number): number => (asOne ? first : slot) * minute

/** The names that were asked for; null: all. */
export const namesOf = ({ taskName, taskNames }: RollupQuery): ReadonlyArray<string> | null =>
  taskNames === undefined
    ? taskName === undefined ? null : [taskName]
    : [...new Set(taskNames)].filter((name) => taskName === undefined || name === taskName)

/** Null where there is none. */
export const slotsOf = (query: RollupQuery): Slots | null => {
  const since = wholeTime(query.since)
  const until = wholeTime(query.until)
  if (since === null || until === null || until <= since || Number.isNaN(query.width)) return null
  const width = Math.min(farthest, Math.max(1, Math.ceil(query.width / minute)))
  const end = Math.min(farthest, Math.ceil(until / minute / width) * width)
  const from = Math.max(0, Math.floor(since / minute / width) * width)
  const first = Math.max(from, Math.ceil((end - mostSlots * width) / width) * width)
  return first < end && namesOf(query)?.length !== 0 ? { first, end, width, asOne: query.asOne === true } : null
}

interface Sums {
  count: number
  sum: number
  min: number | null
  max: number | null
  readonly buckets: Map<number, number>
}

interface Gathered {
  readonly at: number
  readonly taskName: string | null
  readonly ends: { [Status in Terminal]: number }
  readonly durations: Sums
  readonly waits: Sums
}

const noSums = (): Sums => ({ count: 0, sum: 0, min: null, max: null, buckets: new Map() })

const least = (a: number | null, b: number | null) => a === null || b === null ? a ?? b : Math.min(a, b)
const most = (a: number | null, b: number | null) => a === null || b === null ? a ?? b : Math.max(a, b)

/** Adds so many, of which nobody asked in which buckets they are. */
export const addCount = (sums: Sums, count: number): void => {
  sums.count += count
}

/** Adds what is in one bucket. */
export const addBucket = (sums: Sums, bucket: number, count: number): void => {
  addCount(sums, count)
  sums.buckets.set(bucket, (sums.buckets.get(bucket) ?? 0) + count)
}

/** Adds to the sum, and widens the bounds. */
export const addSum = (sums: Sums, sum: number, min: number | null, max: number | null): void => {
  sums.sum += sum
  sums.min = least(sums.min, min)
  sums.max = most(sums.max, max)
}

/** Adds one that took so long. */
export const addOne = (sums: Sums, bucket: number, millis: number): void => {
  addBucket(sums, bucket, 1)
  addSum(sums, millis, millis, millis)
}

const addAll = (sums: Sums, { buckets, count, max, min, sum }: Distribution): void => {
  addCount(sums, count)
  for (const [bucket, many] of buckets) sums.buckets.set(bucket, (sums.buckets.get(bucket) ?? 0) + many)
  addSum(sums, sum, min, max)
}

const noBuckets: ReadonlyMap<number, number> = new Map()

/** The same without its histograms. */
export const withoutBuckets = (rollup: Rollup): Rollup => ({
  ...rollup,
  durations: { ...rollup.durations, buckets: noBuckets },
  waits: { ...rollup.waits, buckets: noBuckets }
})

/** Puts sums together by slot and name. */
export const gathering = () => {
  const found = new Map<string, Gathered>()
  // One after the other are mostly of one name and time: no key is made then.
  let last: Gathered | undefined
  const of = (at: number, taskName: string | null): Gathered => {
    if (last !== undefined && last.at === at && last.taskName === taskName) return last
    const key = `${at} ${taskName === null ? "" : JSON.stringify(taskName)}`
    let one = found.get(key)
    if (one === undefined) {
      const ends = { success: 0, failed: 0, interrupted: 0, cancelled: 0 }
      found.set(key, one = { at, taskName, ends, durations: noSums(), waits: noSums() })
    }
    last = one
    return one
  }
  const add = (rollup: Rollup): void => {
    const one = of(rollup.at, rollup.taskName)
    for (const status of Object.keys(one.ends) as Array<Terminal>) one.ends[status] += rollup.ends[status] // safe: its own
    addAll(one.durations, rollup.durations)
    addAll(one.waits, rollup.waits)
  }
  const every = (): ReadonlyArray<Rollup> => [...found.values()]
  /** In order, of the names with the most ends. */
  const all = (): ReadonlyArray<Rollup> => {
    const kept = mostEnded(every())
    const before = (a: Rollup, b: Rollup) => a.at - b.at || ((a.taskName ?? "") < (b.taskName ?? "") ? -1 : 1)
    return every().filter(({ taskName }) => taskName === null || kept.has(taskName)).sort(before)
  }
  return { of, add, every, all }
}

/** Of two backends that have different tasks. */
export const together = (a: ReadonlyArray<Rollup>, b: ReadonlyArray<Rollup>): ReadonlyArray<Rollup> => {
  if (b.length === 0) return a
  const found = gathering()
  for (const rollup of [...a, ...b]) found.add(rollup)
  return found.all()
}

const mostEnded = (rollups: ReadonlyArray<Rollup>): ReadonlySet<string> => {
  const byName = new Map<string, number>()
  for (const { ends, taskName } of rollups) {
    if (taskName === null) continue
    const many = ends.success + ends.failed + ends.interrupted + ends.cancelled
    byName.set(taskName, (byName.get(taskName) ?? 0) + many)
  }
  if (byName.size <= mostNames) return new Set(byName.keys())
  const sorted = [...byName].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
  return new Set(sorted.slice(0, mostNames).map(([name]) => name))
}
