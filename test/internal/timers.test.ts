import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Exit, FastCheck as fc, Scope, TestClock } from "effect"
import * as Timers from "../../src/internal/timers.js"

// Returns once every fiber waits for something.
const settle = TestClock.adjust(0)

const observed = Effect.gen(function*() {
  const timers = yield* Timers.make
  const clock = yield* Effect.clock
  const fired: Array<{ readonly name: string | number; readonly at: number }> = []
  return {
    fired,
    names: () => fired.map(({ name }) => name),
    add: (at: number, name: string | number) =>
      timers.schedule(at, () => {
        fired.push({ name, at: clock.unsafeCurrentTimeMillis() })
      }),
    timers
  }
})

describe("timers", () => {
  it.scoped("fire at their time, in order of time", () =>
    Effect.gen(function*() {
      const { add, fired, names } = yield* observed
      for (const at of [300, 100, 200]) add(at, at)
      yield* TestClock.adjust(99)
      expect(names()).toEqual([])
      yield* TestClock.adjust(1)
      expect(names()).toEqual([100])
      yield* TestClock.adjust("1 second")
      expect(fired).toEqual([100, 200, 300].map((at) => ({ name: at, at })))
    }))

  it.scoped("that are due already fire at once", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(1_000)
      const { add, names } = yield* observed
      add(1_000, "now")
      add(0, "long ago")
      yield* settle
      expect(names().sort()).toEqual(["long ago", "now"])
    }))

  it.scoped("are not waited for in vain by a clock that stands a hair before their time", () =>
    Effect.gen(function*() {
      const { add, names } = yield* observed
      add(360_000, "whole")
      yield* TestClock.setTime(359_999.99999999994)
      expect(names()).toEqual([])
      yield* TestClock.adjust(1)
      expect(names()).toEqual(["whole"])
    }))

  it.scoped("an earlier one that comes later wakes the sleeper", () =>
    Effect.gen(function*() {
      const { add, fired } = yield* observed
      add(10_000, "late")
      yield* settle
      add(500, "early")
      yield* settle
      yield* TestClock.adjust(500)
      expect(fired).toEqual([{ name: "early", at: 500 }])
      yield* TestClock.adjust(9_500)
      expect(fired).toEqual([{ name: "early", at: 500 }, { name: "late", at: 10_000 }])
    }))

  // The sleeper needs a few turns to lie down: whatever comes meanwhile must not be slept through.
  for (const fresh of [true, false]) {
    for (let turns = 0; turns <= 8; turns += 1) {
      it.scoped(`an earlier one wakes a ${fresh ? "new" : "settled"} sleeper also after ${turns} turns`, () =>
        Effect.gen(function*() {
          const { add, fired } = yield* observed
          if (!fresh) yield* settle
          add(10_000, "late")
          for (let turn = 0; turn < turns; turn += 1) yield* Effect.yieldNow()
          add(500, "early")
          yield* settle
          yield* TestClock.adjust(500)
          expect(fired).toEqual([{ name: "early", at: 500 }])
        }))
    }
  }

  it.scoped("that were cancelled never fire, and the others do not wait for them", () =>
    Effect.gen(function*() {
      const { add, fired } = yield* observed
      const cancel = add(100, "cancelled")
      add(200, "kept")
      cancel()
      cancel()
      yield* TestClock.adjust(300)
      expect(fired).toEqual([{ name: "kept", at: 200 }])
      cancel()
      add(400, "after")
      yield* TestClock.adjust(100)
      expect(fired.at(-1)).toEqual({ name: "after", at: 400 })
    }))

  it.scoped("cancelling after the call does nothing", () =>
    Effect.gen(function*() {
      const { add, names } = yield* observed
      const cancel = add(100, "one")
      yield* TestClock.adjust(100)
      cancel()
      add(200, "two")
      yield* TestClock.adjust(100)
      expect(names()).toEqual(["one", "two"])
    }))

  it.scoped("thousands that are cancelled leave the rest in order", () =>
    Effect.gen(function*() {
      const { add, fired } = yield* observed
      const cancels = Array.from({ length: 6_000 }, (_, index) => add(1_000 + index, index))
      cancels.forEach((cancel, index) => {
        if (index % 500 !== 0) cancel()
      })
      yield* TestClock.adjust(10_000)
      const kept = Array.from({ length: 12 }, (_, index) => index * 500)
      expect(fired).toEqual(kept.map((index) => ({ name: index, at: 1_000 + index })))
    }))

  it.scoped("a call may schedule and cancel others", () =>
    Effect.gen(function*() {
      const { add, fired, timers } = yield* observed
      const never = add(300, "never")
      timers.schedule(100, () => {
        never()
        add(150, "chained")
        add(50, "overdue")
      })
      yield* TestClock.adjust(1_000)
      expect(fired).toEqual([{ name: "overdue", at: 100 }, { name: "chained", at: 150 }])
    }))

  it.scoped.prop("do what a sorted list does", [
    fc.array(
      fc.record({
        at: fc.nat({ max: 50 }),
        cancel: fc.boolean(),
        step: fc.nat({ max: 10 }),
        turns: fc.nat({ max: 4 })
      }),
      { maxLength: 15 }
    )
  ], ([plan]) =>
    Effect.gen(function*() {
      const { add, fired } = yield* observed
      const expected: Array<{ readonly name: number; readonly at: number }> = []
      for (const [index, { at, cancel, step, turns }] of plan.entries()) {
        const now = yield* Clock.currentTimeMillis
        const stop = add(at, index)
        if (cancel) stop()
        else expected.push({ name: index, at: Math.max(at, now) })
        for (let turn = 0; turn < turns; turn += 1) yield* Effect.yieldNow()
        yield* TestClock.adjust(step)
      }
      yield* TestClock.adjust(100)
      const byTime = (a: { at: number; name: string | number }, b: { at: number; name: string | number }) =>
        a.at - b.at || Number(a.name) - Number(b.name)
      expect(fired.map(({ at }) => at)).toEqual(fired.map(({ at }) => at).sort((a, b) => a - b))
      expect([...fired].sort(byTime)).toEqual(expected.sort(byTime))
    }), { fastCheck: { numRuns: 25 } })

  it.effect("stop with their scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { add, names } = yield* Scope.extend(observed, scope)
      add(100, "never")
      yield* settle
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust(1_000)
      expect(names()).toEqual([])
      expect(yield* TestClock.sleeps()).toHaveLength(0)
    }))
})
