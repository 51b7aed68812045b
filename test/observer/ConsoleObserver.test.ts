import { describe, expect, it } from "@effect/vitest"
import { Console, Effect, Layer, Logger, LogLevel } from "effect"
import { Task, TaskLog, TaskObserver } from "effect-taskflow"
import { ConsoleObserver } from "effect-taskflow/observers"
import { TaskflowTest } from "effect-taskflow/testing"

const Greet = Task.make("greet")
const handler = Greet.toLayer(() =>
  Effect.all([TaskLog.debug("quiet"), TaskLog.info("hello\nworld"), TaskLog.error("loud", { code: 1 })])
)

const printed = (options?: ConsoleObserver.ConsoleObserverOptions) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const console = yield* Effect.console
    const collecting: Console.Console = {
      ...console,
      log: (...args) => Effect.sync(() => lines.push(args.map(String).join(" ")))
    }
    const { taskId } = yield* Effect.gen(function*() {
      const enqueued = yield* Greet.enqueue()
      yield* Greet.awaitResult(enqueued.taskId)
      return enqueued
    }).pipe(
      Effect.provide(Layer.merge(handler, ConsoleObserver.layer(options))),
      Effect.provide(Layer.merge(TaskflowTest.layer, Console.setConsole(collecting)))
    )
    return { lines, id8: taskId.slice(-8) }
  })

describe("ConsoleObserver", () => {
  it.effect("prints log lines from info up, in the form of the log files", () =>
    Effect.gen(function*() {
      const { id8, lines } = yield* printed()
      expect(lines).toEqual([
        `[${id8}] [greet] 1970-01-01T00:00:00 hello\\nworld`,
        `[${id8}] [greet] 1970-01-01T00:00:00 loud`
      ])
    }))

  it.effect("prints steps when asked, and by level", () =>
    Effect.gen(function*() {
      const { id8, lines } = yield* printed({ lifecycle: true, minLevel: "debug" })
      expect(lines.map((line) => line.slice(`[${id8}] [greet] 1970-01-01T00:00:00 `.length))).toEqual([
        "-- RUNNING",
        "quiet",
        "hello\\nworld",
        "loud",
        "-- SUCCESS"
      ])
      expect((yield* printed({ lifecycle: "all", minLevel: "warning" })).lines).toHaveLength(1)
    }))

  it.effect("prints objects for log drivers", () =>
    Effect.gen(function*() {
      const { lines } = yield* printed({ format: "json", lifecycle: "all" })
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { type: "lifecycle", level: "info", status: "pending" },
        { type: "lifecycle", level: "info", status: "running" },
        { type: "log", level: "info", message: "hello\nworld", extra: {} },
        { type: "log", level: "error", message: "loud", extra: { code: 1 } },
        { type: "lifecycle", level: "info", status: "success", duration: 0 }
      ])
    }))

  it.effect("a console that fails at one line is counted, and prints the others", () =>
    Effect.gen(function*() {
      const before = yield* TaskObserver.failures("console")
      const lines: Array<string> = []
      const console = yield* Effect.console
      const failing: Console.Console = {
        ...console,
        log: (line: string) =>
          line.includes("hello")
            ? Effect.die(new Error("closed"))
            : Effect.sync(() => lines.push(line.split(" ").at(-1)!))
      }
      yield* Greet.execute().pipe(
        Effect.provide(Layer.merge(handler, ConsoleObserver.layer({ lifecycle: true }))),
        Effect.provide(Layer.merge(TaskflowTest.layer, Console.setConsole(failing))),
        Logger.withMinimumLogLevel(LogLevel.None)
      )
      expect(lines).toEqual(["RUNNING", "loud", "SUCCESS"])
      expect((yield* TaskObserver.failures("console")) - before).toBe(1)
    }))
})
