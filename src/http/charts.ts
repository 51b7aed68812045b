/** Roll-ups as people look at them: spreads, windows, series of buckets. Pure. */
import * as Durations from "../internal/durations.js"
import type { Distribution, Rollup } from "../TaskRollup.js"
import type { Terminal } from "../TaskStatus.js"
import type { Bucket, Durations as DurationsShape, Spread, WindowStats } from "./ChartShapes.js"
import { iso } from "./TaskView.js"

const minute = 60_000

/** No series has more points: what a screen can show. */
export const maxPoints = 120

/** A width with which a window has at most so many slots: whole minutes, of those that divide an hour or a day. */
export const widthOf = (window: number, points: number): number => {
  const least = window / points
  const widths = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440].map((minutes) => minutes * minute)
  return widths.find((width) => width >= least) ?? Math.ceil(least / (1_440 * minute)) * 1_440 * minute
}

const nothing: Distribution = { count: 0, sum: 0, min: null, max: null, buckets: new Map() }

const lesser = (a: number | null, b: number | null): number | null => a === null ? b : b === null ? a : Math.min(a, b)
const greater = (a: number | null, b: number | null): number | null => a === null ? b : b === null ? a : Math.max(a, b)

const together = (a: Distribution, b: Distribution): Distribution => {
  const buckets = new Map(a.buckets)
  for (const [bucket, count] of b.buckets) buckets.set(bucket, (buckets.get(bucket) ?? 0) + count)
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    min: lesser(a.min, b.min),
    max: greater(a.max, b.max),
    buckets
  }
}

const emptyEnds: { readonly [Status in Terminal]: number } = { success: 0, failed: 0, interrupted: 0, cancelled: 0 }

/** The sum of slots, or of names. */
export const sumOf = (rollups: ReadonlyArray<Rollup>): Omit<Rollup, "at" | "taskName"> =>
  rollups.reduce((sum, { durations, ends, waits }) => ({
    ends: {
      success: sum.ends.success + ends.success,
      failed: sum.ends.failed + ends.failed,
      interrupted: sum.ends.interrupted + ends.interrupted,
      cancelled: sum.ends.cancelled + ends.cancelled
    },
    durations: together(sum.durations, durations),
    waits: together(sum.waits, waits)
  }), { ends: emptyEnds, durations: nothing, waits: nothing })

export const spread = ({ buckets, count, max, min, sum }: Distribution): typeof Spread.Type => {
  const at = (share: number): number | null => {
    const estimate = Durations.percentile(buckets, share)
    return estimate === null || min === null || max === null ? null : Math.min(max, Math.max(min, estimate))
  }
  return {
    count,
    average: count === 0 ? null : sum / count,
    min,
    max,
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99)
  }
}

/** Successes among all that ended. */
export const successRate = ({ cancelled, failed, interrupted, success }: Rollup["ends"]): number | null => {
  const ended = success + failed + interrupted + cancelled
  return ended === 0 ? null : success / ended
}

/** What ended in these slots, which go from `from` to now. */
export const windowStats = (rollups: ReadonlyArray<Rollup>, from: number, to: number): typeof WindowStats.Type => {
  const { durations, ends, waits } = sumOf(rollups)
  const ended = ends.success + ends.failed + ends.interrupted + ends.cancelled
  return {
    from: iso(from),
    to: iso(to),
    ended,
    ...ends,
    successRate: successRate(ends),
    throughput: to <= from ? 0 : ended / ((to - from) / minute),
    durations: spread(durations),
    waits: spread(waits)
  }
}

/** How long what ended in these slots took, by bucket of the histogram. */
export const durations = (
  rollups: ReadonlyArray<Rollup>,
  from: number,
  to: number
): typeof DurationsShape.Type => {
  const sum = sumOf(rollups).durations
  return {
    from: iso(from),
    to: iso(to),
    durations: spread(sum),
    items: [...sum.buckets].sort(([a], [b]) => a - b).map(([bucket, count]) => ({
      ...Durations.boundsOf(bucket),
      count
    }))
  }
}

const bucket = (at: number, rollup: Omit<Rollup, "at" | "taskName">): typeof Bucket.Type => ({
  at: iso(at),
  ...rollup.ends,
  durations: spread(rollup.durations),
  waits: spread(rollup.waits)
})

/** Every slot from `from` up to `to`, oldest first. */
export const buckets = (
  rollups: ReadonlyArray<Rollup>,
  { from, to, width }: { readonly from: number; readonly to: number; readonly width: number }
): ReadonlyArray<typeof Bucket.Type> => {
  const bySlot = new Map(rollups.map((rollup) => [rollup.at, rollup]))
  const items: Array<typeof Bucket.Type> = []
  for (let at = from; at < to; at += width) items.push(bucket(at, bySlot.get(at) ?? sumOf([])))
  return items
}

/** The slot that a moment is in. */
export const slotOf = (at: number, width: number): number => Math.floor(at / width) * width
