import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import * as SlidingBuffer from "../../src/internal/slidingBuffer.js"

describe("slidingBuffer", () => {
  it.effect("keeps the newest, in order, and says when one had to go", () =>
    Effect.gen(function*() {
      const buffer = SlidingBuffer.make<number>(3)
      expect([1, 2, 3, 4, 5].map(buffer.offer)).toEqual([true, true, true, false, false])
      expect(buffer.size()).toBe(3)
      expect(yield* buffer.take(2)).toEqual([3, 4])
      expect([6, 7].map(buffer.offer)).toEqual([true, true])
      expect(yield* buffer.take(10)).toEqual([5, 6, 7])
      expect(buffer.size()).toBe(0)
    }))

  it.effect("a reader waits for the first item, and gets what came until it goes on", () =>
    Effect.gen(function*() {
      const buffer = SlidingBuffer.make<number>(3)
      const reader = yield* Effect.fork(buffer.take(10))
      yield* Effect.yieldNow()
      buffer.offer(1)
      buffer.offer(2)
      expect(yield* Fiber.join(reader)).toEqual([1, 2])
    }))

  it.effect("an interrupted reader takes nothing away", () =>
    Effect.gen(function*() {
      const buffer = SlidingBuffer.make<number>(3)
      const reader = yield* Effect.fork(buffer.take(10))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(reader)
      buffer.offer(1)
      expect(yield* buffer.take(10)).toEqual([1])
    }))

  it.effect("what is there at the end can be taken, nothing is added, and a waiting reader goes on", () =>
    Effect.gen(function*() {
      const buffer = SlidingBuffer.make<number>(3)
      buffer.offer(1)
      buffer.end()
      buffer.offer(2)
      expect(yield* buffer.take(10)).toEqual([1])
      expect(yield* buffer.take(10)).toEqual([])
      const other = SlidingBuffer.make<number>(3)
      const reader = yield* Effect.fork(other.take(10))
      yield* Effect.yieldNow()
      const ended = yield* Effect.fork(other.ended)
      yield* Effect.yieldNow()
      other.end()
      yield* Fiber.join(ended)
      yield* other.ended
      expect(yield* Fiber.join(reader)).toEqual([])
      expect([other.isEnded(), other.size()]).toEqual([true, 0])
    }))
})
