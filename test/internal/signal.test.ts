import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Ref, TestClock } from "effect"
import * as Signal from "../../src/internal/signal.js"

// Returns once every fiber waits for something.
const settle = TestClock.adjust(0)

/** A fiber that waits, and whether it came back. */
const waiting = (signal: Signal.Signal) =>
  Effect.gen(function*() {
    const back = yield* Ref.make(false)
    const fiber = yield* Effect.fork(Effect.zipRight(signal.await, Ref.set(back, true)))
    yield* settle
    return { fiber, isBack: Ref.get(back) }
  })

describe("signal", () => {
  it.effect("wakes all who wait, with one notification", () =>
    Effect.gen(function*() {
      const signal = yield* Signal.make
      const first = yield* waiting(signal)
      const second = yield* waiting(signal)
      expect([yield* first.isBack, yield* second.isBack]).toEqual([false, false])
      signal.notify()
      yield* settle
      expect([yield* first.isBack, yield* second.isBack]).toEqual([true, true])
    }))

  it.effect("remembers what came before the wait, once however often it came", () =>
    Effect.gen(function*() {
      const signal = yield* Signal.make
      signal.notify()
      signal.notify()
      yield* signal.await
      const late = yield* waiting(signal)
      expect(yield* late.isBack).toBe(false)
      signal.notify()
      yield* Fiber.join(late.fiber)
    }))

  it.effect("does not remember what somebody heard", () =>
    Effect.gen(function*() {
      const signal = yield* Signal.make
      const heard = yield* waiting(signal)
      signal.notify()
      yield* Fiber.join(heard.fiber)
      const late = yield* waiting(signal)
      expect(yield* late.isBack).toBe(false)
      yield* Fiber.interrupt(late.fiber)
    }))

  it.effect("keeps a notification for the next when the only one who waited went away", () =>
    Effect.gen(function*() {
      const signal = yield* Signal.make
      const gone = yield* waiting(signal)
      yield* Fiber.interrupt(gone.fiber)
      signal.notify()
      yield* signal.await
    }))
})
