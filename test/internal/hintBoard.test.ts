import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Queue, Stream } from "effect"
import * as HintBoard from "../../src/internal/hintBoard.js"

describe("hintBoard", () => {
  it.scoped("tells each listener of its own kind, many as one", () =>
    Effect.gen(function*() {
      const board = HintBoard.make()
      expect(board.isWanted("work")).toBe(false)
      const heard = yield* Queue.unbounded<string>()
      const listen = (about: "work" | "changes") =>
        Effect.forkScoped(Stream.runForEach(board.hints(about), () => Queue.offer(heard, about)))
      yield* listen("work")
      yield* listen("changes")
      yield* Effect.yieldNow().pipe(Effect.repeatN(20))
      expect([board.isWanted("work"), board.isWanted("changes"), board.isWanted("steer")]).toEqual([true, true, false])
      for (let times = 0; times < 3; times += 1) board.emit("work")
      board.emit("steer")
      expect(yield* Queue.take(heard)).toBe("work")
      yield* Effect.yieldNow().pipe(Effect.repeatN(20))
      // What came while the first was on its way is one more at most.
      const more = [...yield* Queue.takeAll(heard)]
      expect(more.length).toBeLessThanOrEqual(1)
      board.emit("changes")
      expect(yield* Queue.take(heard)).toBe("changes")
    }))

  it.scoped("asks elsewhere only while somebody listens", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const source = Effect.acquireUseRelease(
        Effect.sync(() => events.push("on")),
        () => Effect.never,
        () => Effect.sync(() => events.push("off"))
      )
      const board = HintBoard.make(source)
      const listen = Effect.fork(Stream.runDrain(board.hints("work")))
      const settle = Effect.repeatN(Effect.yieldNow(), 50)
      const one = yield* listen
      const other = yield* listen
      yield* settle
      expect(events).toEqual(["on"])
      yield* Fiber.interrupt(one)
      expect(events).toEqual(["on"])
      yield* Fiber.interrupt(other)
      expect(events).toEqual(["on", "off"])
      expect(board.isWanted("work")).toBe(false)
      const again = yield* listen
      yield* settle
      yield* Fiber.interrupt(again)
      expect(events).toEqual(["on", "off", "on", "off"])
    }))
})
