/** Where the marks of an axis of time stand: at moments that people count in, in the zone that is shown. Pure. */

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  ...[1, 2, 3, 4, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 7, 14].map((days) => days * day)
]
const most = 8
/** The first day of a week, in 1970. */
const monday = 4 * day

export interface TimeTick {
  /** In epoch milliseconds. */
  readonly at: number
  /** From 0 where the axis begins to 1 where it ends. */
  readonly place: number
  /** It marks a day, not a time of it. */
  readonly isDay: boolean
}

/** `zone` tells how far local time is from UTC at a moment, in milliseconds. */
export const timeTicks = (start: number, reach: number, zone: (at: number) => number): ReadonlyArray<TimeTick> => {
  if (reach <= 0) return []
  const step = steps.find((one) => reach / one <= most) ?? Math.ceil(reach / most / day) * day
  const anchor = step % (7 * day) === 0 ? monday : 0
  const ticks: Array<TimeTick> = []
  for (let clock = Math.ceil((start + zone(start) - anchor) / step) * step + anchor;; clock += step) {
    // Clocks may have been put forward or back since the axis began.
    const at = clock - zone(clock - zone(start))
    if (at > start + reach) return ticks
    if (at >= start) ticks.push({ at, place: (at - start) / reach, isDay: step >= day })
  }
}

/** How far the clocks of this machine are from UTC. */
export const localZone = (at: number): number => -new Date(at).getTimezoneOffset() * minute
