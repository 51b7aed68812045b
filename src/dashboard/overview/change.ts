/** What the overview says of two windows: how a figure changed, and what is drawn beside it. Pure. */
import type { Bucket, Overview } from "../api/types.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"

export const ranges = ["15m", "1h", "24h", "7d"] as const
export type Range = typeof ranges[number]
export const defaultRange: Range = "1h"

/** What is not understood counts as not said. */
export const rangeOf = (text: string | null): Range => ranges.find((one) => one === text) ?? defaultRange

/** The window of the list of runs that is about the same; null for what it shows anyway. */
export const sinceOf = (range: Range): string | null => range === "24h" ? null : range

/** Colour is for what is wrong: failures, and slowness. */
export type Tone = "plain" | "bad" | "slow"

export interface Change {
  readonly words: string
  readonly tone: Tone
}

const plain = (words: string): Change => ({ words, tone: "plain" })

/** With a sign, and a real minus. */
export const signed = (value: number, words: (size: number) => string): string =>
  `${value < 0 ? "−" : "+"}${words(Math.abs(value))}`

const versus = (words: string, range: Range): string => `${words} ${t.overview.versus[range]}`

// Noise is no change.
const steadyShare = 0.02
const steadyPoints = 0.1
// Percentiles are within five percent of the truth.
const steadySpan = 0.05

/** Of a rate: in percent, or as a factor where percents say nothing any more. */
export const rateChange = (now: number, before: number, range: Range): Change => {
  if (before === 0) return plain(now === 0 ? t.overview.steady : t.overview.noneBefore[range])
  const share = now / before - 1
  if (Math.abs(share) < steadyShare) return plain(t.overview.steady)
  return plain(versus(
    share >= 9
      ? t.overview.times(format.count(now / before))
      : t.overview.percent(signed(share * 100, format.count)),
    range
  ))
}

/** Of a share: in points. From half a point down it is bad. */
export const pointsChange = (now: number | null, before: number | null, range: Range): Change => {
  if (now === null) return plain(t.overview.nothingEnded)
  if (before === null) return plain(t.overview.noneBefore[range])
  const points = Math.round((now - before) * 1_000) / 10
  if (Math.abs(points) < steadyPoints) return plain(t.overview.steady)
  return {
    words: versus(t.overview.points(signed(points, format.oneDigit)), range),
    tone: points <= -0.5 ? "bad" : "plain"
  }
}

/** Of a span: by how much. A quarter more is slow, where it is as much as `felt` milliseconds. */
export const spanChange = (now: number | null, before: number | null, range: Range, felt: number): Change => {
  if (now === null) return plain(t.overview.nothingEnded)
  if (before === null) return plain(t.overview.noneBefore[range])
  const more = now - before
  if (Math.abs(more) < 1 || Math.abs(more) < before * steadySpan) return plain(t.overview.steady)
  return {
    words: versus(signed(more, format.duration), range),
    tone: more >= felt && more >= before / 4 ? "slow" : "plain"
  }
}

/** How many came to the dead letters. */
export const newDead = (bad: number, range: Range): Change =>
  bad === 0
    ? plain(`${t.overview.nothingNew} ${t.overview.in[range]}`)
    : { words: `${signed(bad, format.count)} ${t.overview.in[range]}`, tone: "bad" }

export const badOf = ({ failed, interrupted }: Pick<Bucket, "failed" | "interrupted">): number => failed + interrupted
export const endedOf = (one: Pick<Bucket, "success" | "failed" | "interrupted" | "cancelled">): number =>
  badOf(one) + one.success + one.cancelled

export type Series = ReadonlyArray<number | null>

export interface FigureSeries {
  readonly throughput: Series
  readonly success: Series
  readonly p95: Series
  readonly wait: Series
  readonly busy: Series
  readonly dead: Series
}

/** By slot. The latest slot is not over: its counts would seem to fall, so they are left out. */
export const seriesOf = ({ items, width }: Pick<Overview, "items" | "width">): FigureSeries => {
  const over = items.slice(0, -1)
  return {
    throughput: over.map(endedOf),
    success: items.map((one) => endedOf(one) === 0 ? null : one.success / endedOf(one)),
    p95: items.map(({ durations }) => durations.p95),
    wait: items.map(({ waits }) => waits.p95),
    // So long did runs take together in so much time: about so many ran at once.
    busy: over.map(({ durations: { average, count } }) => (average ?? 0) * count / width),
    dead: items.map(badOf)
  }
}

/** The points of a line in a box, as the `d` of a path; nothing without two values. What is unknown is passed over. */
export const linePath = (values: Series, width: number, height: number, most?: number): string => {
  const known = values.flatMap((value, index) => value === null ? [] : [[index, value] as const])
  if (known.length < 2) return ""
  const top = most ?? Math.max(...known.map(([, value]) => value))
  const bottom = most === undefined ? Math.min(...known.map(([, value]) => value)) : 0
  const reach = top - bottom
  // What never changes is a line in the middle, or on the ground.
  const y = (value: number): number =>
    reach === 0 ? (top === 0 ? height : height / 2) : height * (1 - (value - bottom) / reach)
  return known.map(([index, value], at) =>
    `${at === 0 ? "M" : "L"}${round(width * index / (values.length - 1))} ${round(y(value))}`
  ).join("")
}

const round = (value: number): number => Math.round(value * 10) / 10

/** The moments that a drag over some slots means: whole slots, as the list of runs takes them. */
export const spanOf = (
  items: ReadonlyArray<Pick<Bucket, "at">>,
  width: number,
  from: number,
  to: number
): { readonly from: string; readonly to: string } | null => {
  const first = items[0]
  const last = items[items.length - 1]
  if (first === undefined || last === undefined) return null
  const start = Date.parse(first.at)
  const end = Date.parse(last.at) + width
  const slot = (at: number, whole: (value: number) => number): number =>
    Math.min(end, Math.max(start, start + whole((at - start) / width) * width))
  const span = [slot(Math.min(from, to), Math.floor), slot(Math.max(from, to), Math.ceil)] as const
  return span[1] <= span[0]
    ? null
    : { from: new Date(span[0]).toISOString(), to: new Date(span[1]).toISOString() }
}
