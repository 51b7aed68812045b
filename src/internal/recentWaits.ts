/**
 * How long the tasks that lately started here had waited: the latest thousand, in memory that is taken once.
 */

export interface RecentWaits {
  /** At a start, in epoch milliseconds. */
  readonly add: (startedAt: number, wait: number) => void
  /** Of the five minutes before `now`. */
  readonly summary: (now: number) => { readonly count: number; readonly p95: number | null }
}

const most = 1_000
const span = 300_000

export const make = (): RecentWaits => {
  const starts = new Float64Array(most).fill(Number.NEGATIVE_INFINITY)
  const waits = new Float64Array(most)
  let next = 0
  return {
    // At every first start: two numbers, and nothing is allocated.
    add: (startedAt, wait) => {
      starts[next] = startedAt
      waits[next] = wait
      next = (next + 1) % most
    },
    summary: (now) => {
      const recent = waits.filter((_, index) => starts[index]! > now - span).sort()
      const p95 = recent[Math.ceil(recent.length * 0.95) - 1]
      return { count: recent.length, p95: p95 === undefined ? null : Math.round(p95) }
    }
  }
}
