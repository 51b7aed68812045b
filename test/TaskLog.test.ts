import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Schema } from "effect"
import { Task, TaskLog, TaskManager, TaskProgress } from "effect-taskflow"
import { MemoryObserver, TaskflowTest } from "effect-taskflow/testing"
import { collectedLogs, engine } from "./support/engine.js"

class Nope extends Schema.TaggedError<Nope>()("Nope", {}) {}

describe("inside a handler", () => {
  it.effect("Effect.log and TaskLog land on the record with level, message, annotations, attempt and sequence", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      let runs = 0
      const Noisy = Task.make("noisy", { error: Nope, retry: { retries: 1, delay: "1 second" } })
      const layer = Noisy.toLayer(() =>
        Effect.gen(function*() {
          yield* Effect.log("connecting", 42).pipe(Effect.annotateLogs("host", "h"))
          yield* Effect.fork(TaskLog.warning("slow", { code: 503 })).pipe(Effect.flatMap((fiber) => fiber.await))
          yield* TaskLog.debug("detail")
          yield* TaskLog.error("bad")
          yield* Effect.logTrace("finest")
          runs += 1
          if (runs === 1) return yield* new Nope()
        })
      )
      yield* Effect.gen(function*() {
        const { taskId } = yield* Noisy.enqueue()
        yield* TaskflowTest.drain
        const lines = yield* manager.logs(taskId)
        expect(
          lines.map((
            { annotations, attempt, claim, level, message, sequence }
          ) => [claim, sequence, attempt, level, message, annotations])
        ).toEqual([
          [1, 1, 1, "info", "connecting 42", `{"host":"h"}`],
          [1, 2, 1, "warning", "slow", `{"code":503}`],
          [1, 3, 1, "debug", "detail", null],
          [1, 4, 1, "error", "bad", null],
          [1, 5, 1, "debug", "finest", null],
          [2, 1, 2, "info", "--- Retry 1 ---", null],
          [2, 2, 2, "info", "connecting 42", `{"host":"h"}`],
          [2, 3, 2, "warning", "slow", `{"code":503}`],
          [2, 4, 2, "debug", "detail", null],
          [2, 5, 2, "error", "bad", null],
          [2, 6, 2, "debug", "finest", null]
        ])
        expect(yield* manager.logs(taskId, { after: 5, limit: 1 })).toMatchObject([{ message: "--- Retry 1 ---" }])
        expect(yield* manager.get(taskId)).toMatchObject({ logLines: 11 })
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(collectedLogs().layer)))

  it.effect("debug lines are kept while the console still shows info and up", () => {
    const logs = collectedLogs()
    const Noisy = Task.make("noisy")
    const layer = Noisy.toLayer(() => Effect.zipRight(Effect.logDebug("hidden"), Effect.logInfo("shown")))
    return Effect.gen(function*() {
      const manager = yield* TaskManager
      const { taskId } = yield* Noisy.enqueue()
      yield* manager.awaitIdle
      expect((yield* manager.logs(taskId)).map(({ message }) => message)).toEqual(["hidden", "shown"])
      expect(logs.lines.map(({ message }) => message)).toEqual(["shown"])
    }).pipe(
      Effect.provide(layer),
      Effect.provide(TaskflowTest.layer),
      Effect.provide(Layer.merge(logs.layer, Logger.minimumLogLevel(LogLevel.Info)))
    )
  })

  it.effect("lines and their size are capped for the task over all attempts, and the last line says so", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const Chatty = Task.make("chatty", { error: Nope, retry: { retries: 1 } })
      const layer = Chatty.toLayer(() =>
        Effect.zipRight(Effect.forEach(Array.from({ length: 8 }), () => TaskLog.info("x".repeat(10))), new Nope())
      )
      yield* Effect.gen(function*() {
        const { taskId } = yield* Chatty.enqueue()
        yield* manager.awaitIdle
        const lines = yield* manager.logs(taskId)
        expect(lines.filter(({ message }) => message.startsWith("xxx"))).toHaveLength(9)
        expect(lines[8]).toMatchObject({ message: "--- Retry 1 ---" })
        expect(lines.at(-1)).toMatchObject({
          level: "warning",
          message: expect.stringContaining("log of this task is full")
        })
        expect(lines).toHaveLength(11)
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(TaskflowTest.layerWith({ logs: { maxLines: 10 } })), Effect.provide(collectedLogs().layer)))

  it.effect("annotations are only shown to observers when fields is observe", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const Noisy = Task.make("noisy", { tags: { a: "b" } })
      yield* Effect.gen(function*() {
        const observer = yield* MemoryObserver.make({ minLevel: "warning" })
        const { taskId } = yield* Noisy.enqueue()
        yield* manager.awaitIdle
        expect(yield* manager.logs(taskId)).toMatchObject([{ message: "low", annotations: null }, {
          message: "high",
          annotations: null
        }])
        expect(yield* observer.logEvents).toMatchObject([
          {
            taskId,
            taskName: "noisy",
            message: "high",
            level: "warning",
            attempt: 0,
            tags: { a: "b" },
            extra: { code: 1 }
          }
        ])
      }).pipe(
        Effect.scoped,
        Effect.provide(Noisy.toLayer(() => Effect.zipRight(TaskLog.info("low"), TaskLog.warning("high", { code: 1 }))))
      )
    }).pipe(
      Effect.provide(TaskflowTest.layerWith({ logs: { fields: "observe" } })),
      Effect.provide(collectedLogs().layer)
    ))

  it.effect("an Error among the extras is its words", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const Broken = Task.make("broken")
      const handler = Broken.toLayer(() =>
        Effect.zipRight(
          TaskLog.error("it broke", { error: new TypeError("no route"), port: 80 }),
          TaskLog.error("again", { error: new TypeError("no way"), big: 10n })
        )
      )
      yield* Effect.gen(function*() {
        const { taskId } = yield* Broken.enqueue()
        yield* manager.awaitIdle
        // safe: annotations are the text of a JSON object
        const extras = (yield* manager.logs(taskId)).map(({ annotations }) => JSON.parse(annotations!) as unknown)
        expect(extras).toEqual([
          { error: "TypeError: no route", port: 80 },
          { error: "TypeError: no way", big: "10" }
        ])
      }).pipe(Effect.provide(handler))
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(collectedLogs().layer)))

  it.effect("what cannot be JSON is still a line", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const circular: Record<string, unknown> = { big: 10n }
      circular["self"] = circular
      const Odd = Task.make("odd")
      yield* Effect.gen(function*() {
        const { taskId } = yield* Odd.enqueue()
        yield* manager.awaitIdle
        expect(yield* manager.get(taskId)).toMatchObject({ status: "success" })
        expect((yield* manager.logs(taskId)).map(({ message }) => message)).toEqual(["nul \u0000 lone \ud800 emoji 😀"])
      }).pipe(Effect.provide(Odd.toLayer(() => TaskLog.info("nul \u0000 lone \ud800 emoji 😀", circular))))
    }).pipe(Effect.provide(TaskflowTest.layer), Effect.provide(collectedLogs().layer)))
})

describe("outside a task", () => {
  it.effect("a line goes to the ordinary logger at its level, with its extras as annotations", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      yield* TaskLog.warning("careful", { code: 1 })
      yield* TaskProgress.set(0.5)
      expect(logs.lines).toEqual([{ level: "Warning", message: "careful", annotations: { code: 1 } }])
    }).pipe(Effect.provide(logs.layer))
  })
})

describe("progress", () => {
  it.effect("is clamped, kept on the record and streamed", () =>
    Effect.gen(function*() {
      const manager = yield* TaskManager
      const Export = Task.make("export")
      const layer = Export.toLayer(() =>
        Effect.forEach([-1, 0.4, 7, Number.NaN, 0.9], (value) =>
          TaskProgress.set(value, value === 0.9 ? "page 9" : undefined))
      )
      const seen: Array<number> = []
      const stop = manager.tap((event) => {
        if (event._tag === "Progressed") {
          seen.push(event.progress.value)
        }
      })
      yield* Effect.gen(function*() {
        const { taskId } = yield* Export.enqueue()
        yield* manager.awaitIdle
        expect(yield* manager.get(taskId)).toMatchObject({ progress: { value: 0.9, message: "page 9" } })
        // While one is being written the later ones replace each other; the last one is never lost.
        expect(seen).toEqual([0, 0.9])
      }).pipe(Effect.provide(layer))
      stop()
    }).pipe(Effect.provide(engine())))
})
