/**
 * The spans of time in which a time zone keeps its offset to UTC. Pure, and remembered: a span is found by trying.
 */
import * as DateTime from "effect/DateTime"

/** From `start` to before `end` (epoch milliseconds), clocks show `offset` milliseconds more than UTC; just before, `before`. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly offset: number
  readonly before: number
}

const dayMillis = 86_400_000

// The shortest span since 1970 is of a week less an hour: summer of Boa Vista in 2000.
const stepMillis = 5 * dayMillis

// Without a change for so long, a span ends all the same: another one with the same offset follows.
const mostSteps = 80

const mostRemembered = 64

const remembered = new Map<string, Array<Span>>()

/** The span that holds `at`. */
export const make = (zone: DateTime.TimeZone): (at: number) => Span => {
  if (zone._tag === "Offset" || zone.id === "UTC") {
    const offset = zone._tag === "Offset" ? zone.offset : 0
    const always = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY, offset, before: offset }
    return () => always
  }
  const offsetAt = (at: number) => DateTime.zonedOffset(DateTime.unsafeMakeZoned(at, { timeZone: zone }))
  // The first moment that has not the offset of `from`, between there and `to`, which has not.
  const changeIn = (from: number, to: number): number => {
    const offset = offsetAt(from)
    let [same, other] = [from, to]
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2)
      if (offsetAt(middle) === offset) same = middle
      else other = middle
    }
    return other
  }
  const find = (at: number): Span => {
    const origin = Math.floor(at / stepMillis) * stepMillis
    const offset = offsetAt(at)
    let end = at
    for (let step = 1; step <= mostSteps; step++) {
      const to = origin + step * stepMillis
      if (offsetAt(to) !== offset) return { ...startOf(at, offset), end: changeIn(end, to), offset }
      end = to
    }
    return { ...startOf(at, offset), end, offset }
  }
  const startOf = (at: number, offset: number): Pick<Span, "before" | "start"> => {
    const origin = Math.floor(at / stepMillis) * stepMillis
    let start = at
    for (let step = 0; step < mostSteps; step++) {
      const from = origin - step * stepMillis
      const before = offsetAt(from)
      if (before !== offset) return { start: changeIn(from, start), before }
      start = from
    }
    return { start, before: offset }
  }
  const spans = remembered.get(zone.id) ?? []
  remembered.set(zone.id, spans)
  let last: Span | undefined
  return (at) => {
    if (last !== undefined && last.start <= at && at < last.end) return last
    last = spans.find(({ end, start }) => start <= at && at < end)
    if (last !== undefined) return last
    last = find(at)
    if (spans.length >= mostRemembered) spans.shift()
    spans.push(last)
    return last
  }
}
