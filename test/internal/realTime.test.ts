import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import * as RealTime from "../../src/internal/realTime.js"

/** What a finalizer of somebody who was interrupted is answered. */
const inFinalizer = (self: Effect.Effect<unknown>, millis: number) =>
  Effect.gen(function*() {
    const begun = yield* Deferred.make<void>()
    const answers: Array<boolean> = []
    const closing = Effect.map(RealTime.endsWithin(self, millis), (ended) => void answers.push(ended))
    const fiber = yield* Effect.addFinalizer(() => closing).pipe(
      Effect.zipRight(Deferred.succeed(begun, undefined)),
      Effect.zipRight(Effect.never),
      Effect.scoped,
      Effect.fork
    )
    yield* Deferred.await(begun)
    yield* Fiber.interrupt(fiber)
    return answers
  })

describe("a wait in a finalizer of who was interrupted", () => {
  it.live("lasts until it is over", () =>
    Effect.gen(function*() {
      expect(yield* inFinalizer(Effect.sleep("20 millis"), 60_000)).toEqual([true])
    }))

  it.live("has a limit, also for what cannot be interrupted", () =>
    Effect.gen(function*() {
      expect(yield* inFinalizer(Effect.never, 20)).toEqual([false])
      expect(yield* inFinalizer(Effect.uninterruptible(Effect.never), 20)).toEqual([false])
    }))
})
