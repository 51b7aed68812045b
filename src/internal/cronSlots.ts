/**
 * The slots of a cron expression in a time zone: which moments the dates and times it names stand for. Pure.
 *
 * - A time that the clocks show once is that moment.
 * - A time that the clocks skip (spring forward) is as much later as they skipped: 02:30 is 03:30. It is lost to no one; where
 *   that moment is a slot of its own, it is one slot.
 * - A time that the clocks show twice (fall back) is the first of the two, so a nightly task runs once. An expression whose hours
 *   are all 24 goes on in both: every hour and every quarter of an hour is also every one of the hour that comes again.
 */
import type { Calendar } from "./cronCalendar.js"
import type { Span } from "./zoneSpans.js"

export interface CronSlots {
  /** The first slot later than `after`, null when there is none. */
  readonly next: (after: number) => number | null
  /** The latest slot at or before `at`, null when there is none. */
  readonly latest: (at: number) => number | null
}

// What a date can be, less what the search looks around a moment.
const farthest = 8.64e15 - 1000 * 86_400_000

const twoDays = 2 * 86_400_000

export const make = (calendar: Calendar, spanAt: (at: number) => Span): CronSlots => {
  // The wall clock from which a span has times of its own: what it shows for the second time is not, but for every hour.
  const ownFrom = ({ before, offset, start }: Span) => start + (calendar.everyHour ? offset : Math.max(before, offset))

  // The end of the times that were skipped, as moments: they are moved by what was skipped, so they read as before.
  const movedTo = ({ before, offset, start }: Span) => start + Math.max(0, offset - before)

  const nextIn = (span: Span, after: number): { readonly slot: number | null; readonly wall: number | null } => {
    const { before, end, offset, start } = span
    const wall = calendar.next(Math.max(after + offset, ownFrom(span) - 1))
    const own = wall !== null && wall - offset < end ? wall - offset : null
    const until = movedTo(span)
    if (until === start || after >= until) return { slot: own, wall }
    const skipped = calendar.next(Math.max(after, start - 1) + before)
    const moved = skipped !== null && skipped - before < until ? skipped - before : null
    return { slot: own === null || moved === null ? own ?? moved : Math.min(own, moved), wall }
  }

  const latestIn = (span: Span, at: number): { readonly slot: number | null; readonly wall: number | null } => {
    const { before, offset, start } = span
    const wall = calendar.latest(at + offset)
    const own = wall !== null && wall >= ownFrom(span) ? wall - offset : null
    const until = movedTo(span)
    if (until === start || (own !== null && own >= until)) return { slot: own, wall }
    const skipped = calendar.latest(Math.min(at, until - 1) + before)
    const moved = skipped !== null && skipped - before >= start ? skipped - before : null
    return { slot: own === null || moved === null ? own ?? moved : Math.max(own, moved), wall }
  }

  // The span beside is always looked at, for what it shows again. After that, spans are jumped over to the one of the next time.
  return {
    next: (after) => {
      if (!(after < farthest)) return null
      const from = Math.max(after, -farthest)
      let span = spanAt(from)
      for (let beside = true; span.start < farthest; beside = false) {
        const { slot, wall } = nextIn(span, from)
        if (slot !== null || wall === null) return slot
        span = spanAt(beside ? span.end : Math.max(span.end, wall - span.offset - twoDays))
      }
      return null
    },
    latest: (at) => {
      if (!(at > -farthest)) return null
      let to = Math.min(at, farthest)
      let span = spanAt(to)
      for (let beside = true; span.end > -farthest; beside = false) {
        const { slot, wall } = latestIn(span, to)
        if (slot !== null || wall === null) return slot
        to = beside ? span.start - 1 : Math.min(span.start - 1, wall - span.offset + twoDays)
        span = spanAt(to)
      }
      return null
    }
  }
}
