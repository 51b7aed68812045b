/** Durations as bars of a histogram whose axis grows tenfold from one mark to the next. Pure. */
import type { Durations } from "../api/types.js"

export interface Bar {
  /** Milliseconds, as those of the server. */
  readonly from: number
  readonly to: number
  readonly count: number
}

const growth = Math.log(1.1)
const mostBars = 36
// Fewer would be blocks.
const leastSteps = 12

/** The step of the server's histogram that begins here. */
const stepOf = (from: number): number => from < 0.5 ? 0 : Math.round(Math.log(from) / growth) + 1
const startOf = (step: number): number => step <= 0 ? 0 : Math.exp((step - 1) * growth)

/** Where a duration is on the axis, in steps. */
const placeIn = (millis: number): number => millis < 1 ? Math.max(0, millis) : Math.log(millis) / growth + 1

export interface Histogram {
  /** Beside each other, empty ones too. */
  readonly bars: ReadonlyArray<Bar>
  readonly most: number
  /** Where a duration is between both ends of the axis, 0 to 1. */
  readonly at: (millis: number) => number
  /** Durations to write below the axis. */
  readonly marks: ReadonlyArray<number>
}

// Powers of ten are too far apart for what takes between one second and nine.
const nice = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  1e3,
  2e3,
  5e3,
  1e4,
  3e4,
  6e4,
  12e4,
  3e5,
  6e5,
  18e5,
  36e5,
  72e5,
  216e5,
  864e5
]

const marksOf = (from: number, to: number): ReadonlyArray<number> => {
  const inside = nice.filter((mark) => placeIn(mark) >= from && placeIn(mark) <= to)
  const every = Math.ceil(inside.length / 6)
  return inside.filter((_, index) => index % Math.max(1, every) === 0)
}

/** Null without any durations. */
export const histogramOf = (items: Durations["items"]): Histogram | null => {
  const first = items[0]
  const last = items.at(-1)
  if (first === undefined || last === undefined) return null
  const shortest = stepOf(first.from)
  const steps = stepOf(last.from) - shortest + 1
  const spare = Math.max(0, leastSteps - steps)
  const begin = Math.max(0, shortest - Math.floor(spare / 2))
  const together = Math.ceil((steps + spare) / mostBars)
  const many = Math.ceil((steps + spare) / together)
  const counts = Array<number>(many).fill(0)
  for (const { count, from } of items) {
    const bar = Math.min(many - 1, Math.floor((stepOf(from) - begin) / together))
    counts[bar] = (counts[bar] ?? 0) + count
  }
  const end = begin + many * together
  return {
    bars: counts.map((count, index) => ({
      from: startOf(begin + index * together),
      to: startOf(begin + (index + 1) * together),
      count
    })),
    most: Math.max(1, ...counts),
    at: (millis) => Math.min(1, Math.max(0, (placeIn(millis) - begin) / (end - begin))),
    marks: marksOf(begin, end)
  }
}
