/**
 * A range of minutes of `rollups` in parts, where the database answers in the thread that everything else runs in (SQLite): no part
 * takes long, and between two of them others have the connection, and the process its timers and sockets.
 *
 * Folding moves minutes into their hour, and hours to 0. What it may move meanwhile stands in one part, or it would be counted
 * twice or not at all: an hour stays whole until its minutes are surely left alone.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as RealTime from "../../internal/realTime.js"
import * as Rollups from "../../internal/rollups.js"
import type { Sql } from "./dialect.js"

/** Minutes from `first` on and before `end`. */
export interface Minutes {
  readonly first: number
  readonly end: number
}

/** All there are. */
export const always: Minutes = { first: 0, end: Number.MAX_SAFE_INTEGER }

// How long a part shall take, in real milliseconds.
const aim = 10
// How much longer the next part is at most, where the one before was quick.
const growth = 2
// In minutes: for so long what is not old enough to be folded yet stays where it is, also by another process that is ahead.
const margin = 10

const hourOf = (minute: number): number => minute - minute % 60

/** Where the part ends that begins with `first` and shall be about `long` minutes long, and how long the next one may be. */
export const partOf = (
  first: number,
  long: number,
  { end, now }: { readonly end: number; readonly now: number }
): { readonly end: number; readonly long: number } => {
  const old = hourOf(now - Rollups.hoursKept + margin) + 60
  const young = now - Rollups.minutesKept + margin
  const upTo = (bound: number, wanted: number, then: number) => {
    const next = Math.min(end, bound, wanted)
    // An hour has as many rows as a minute has.
    return { end: next, long: next === bound ? then : next - first }
  }
  // What stands at 0 grows by the hours that have just become too old.
  if (first < old) return upTo(old, old, 60)
  if (first < young) return upTo(young, hourOf(first) + 60 * Math.max(1, Math.floor(long / 60)), 1)
  return first > now ? { end, long } : upTo(now + 1, first + Math.max(1, Math.floor(long)), 1)
}

// Real time: there is nothing to wait for.
const turn: Effect.Effect<void> = Effect.async((resume) => {
  const soon = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(soon))
})

/** Reads the range, in one part where that holds nobody up. */
export const read = <E>(
  { dialect }: Pick<Sql, "dialect">,
  { end, first }: Minutes,
  ask: (minutes: Minutes) => Effect.Effect<void, E>
): Effect.Effect<void, E> =>
  dialect.kind !== "sqlite" ? ask({ first, end }) : Effect.flatMap(Clock.currentTimeMillis, (millis) => {
    const now = Rollups.minuteOf(millis)
    const from = (first: number, long: number): Effect.Effect<void, E> =>
      Effect.suspend(() => {
        const part = partOf(first, long, { end, now })
        const began = RealTime.monotonic()
        return Effect.flatMap(ask({ first, end: part.end }), () => {
          if (part.end >= end) return Effect.void
          const factor = Math.min(growth, aim / Math.max(RealTime.monotonic() - began, 0.01))
          return Effect.zipRight(turn, from(part.end, part.long * factor))
        })
      })
    return from(first, 1)
  })
