/**
 * Many deadlines, one sleeping fiber. For attempt timeouts and for tasks that become due.
 *
 * A timeout fiber for each attempt costs more than the rest of the attempt; a heap entry costs a fraction. Sleeps on the
 * Clock in force where it was made, so TestClock drives it.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import TinyQueue from "tinyqueue"
import * as Signal from "./signal.js"

interface Entry {
  readonly at: number
  run: (() => void) | null
}

const longestSleep = 2 ** 31 - 1
// A Clock that a test moves may end a hair before a whole millisecond.
const shortestSleep = 0.01

export interface Timers {
  /** Calls `run` once the clock reads `at` (epoch milliseconds); the answer cancels it. */
  readonly schedule: (at: number, run: () => void) => () => void
}

/** With a look at the Clock: a sleep does not end when that is set past its end, so somebody has to look. */
export interface LookingTimers extends Timers {
  /** Does what the Clock says is due. */
  readonly look: () => void
}

export const make: Effect.Effect<LookingTimers, never, Scope.Scope> = Effect.gen(function*() {
  const clock: Clock.Clock = yield* Effect.clock
  const runtime = yield* Effect.runtime<never>()
  const byTime = (a: Entry, b: Entry) => a.at - b.at
  let entries = new TinyQueue<Entry>([], byTime)
  let cancelled = 0
  const earlier = yield* Signal.make
  let sleepingUntil = Number.POSITIVE_INFINITY

  // One alarm that throws must not silence the others.
  const runOne = (run: () => void) => {
    try {
      run()
    } catch (error) {
      Runtime.runFork(runtime, Effect.logError("a timer's callback threw", error))
    }
  }

  const runDue = () => {
    const now = clock.unsafeCurrentTimeMillis()
    for (
      let next = entries.peek();
      next !== undefined && (next.at <= now || next.run === null);
      next = entries.peek()
    ) {
      entries.pop()
      const { run } = next
      next.run = null
      if (run === null) cancelled -= 1
      else runOne(run)
    }
  }

  // Cancelled entries stay in the heap until they come up or until they are most of it.
  const squeeze = () => {
    if (cancelled < 1024 || cancelled * 2 < entries.length) return
    entries = new TinyQueue(entries.data.filter((entry) => entry.run !== null), byTime)
    cancelled = 0
  }

  const step = Effect.suspend(() => {
    runDue()
    const next = entries.peek()
    sleepingUntil = next?.at ?? Number.POSITIVE_INFINITY
    if (next === undefined) return earlier.await
    // A longer sleep would never end: that is the most a timer of the platform can wait. A shorter one might not move the Clock.
    const left = Math.min(longestSleep, Math.max(shortestSleep, next.at - clock.unsafeCurrentTimeMillis()))
    const sleep = clock.sleep(Duration.millis(left))
    return Effect.raceFirst(sleep, earlier.await)
  })

  // What an acquire forks would inherit that it cannot be interrupted.
  yield* Effect.acquireRelease(Effect.forkDaemon(Effect.interruptible(Effect.forever(step))), Fiber.interrupt)

  return {
    look: () => {
      if (sleepingUntil <= clock.unsafeCurrentTimeMillis()) earlier.notify()
    },
    schedule: (at, run) => {
      const entry: Entry = { at, run }
      entries.push(entry)
      if (at < sleepingUntil) {
        sleepingUntil = at
        earlier.notify()
      }
      return () => {
        if (entry.run === null) return
        entry.run = null
        cancelled += 1
        squeeze()
      }
    }
  }
})
