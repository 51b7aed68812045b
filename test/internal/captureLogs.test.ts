import { describe, expect, it } from "@effect/vitest"
import { Cause, Data, Effect, FiberRef, FiberRefs, HashSet, Logger, LogLevel, Option, Runtime } from "effect"
import { captureLogs } from "../../src/internal/captureLogs.js"
import { setRef } from "../../src/internal/fiberRefs.js"
import { type Attempt, currentAttempt } from "../../src/TaskContext.js"
import type { LogLevel as TaskLogLevel } from "../../src/TaskEvent.js"

type Line = readonly [level: string, message: string, annotations: Record<string, unknown>]

/** Runs an effect as an attempt does, with what it recorded and what the console would have shown. */
const run = (effect: Effect.Effect<unknown>, options: {
  readonly keep?: TaskLogLevel
  readonly show?: LogLevel.LogLevel
  readonly inTask?: boolean
} = {}) =>
  Effect.gen(function*() {
    const recorded: Array<Line> = []
    const shown: Array<string> = []
    const console = Logger.make(({ logLevel, message }) => {
      shown.push(`${logLevel.label} ${String(message)}`)
    })
    // safe: the logger asks for nothing but `log`
    const attempt = {
      log: (...line: Line) => {
        recorded.push(line)
      }
    } as unknown as Attempt
    const base = yield* Effect.runtime()
    const refs = [
      (refs: FiberRefs.FiberRefs) => setRef(refs, FiberRef.currentLoggers, HashSet.make(console)),
      (refs: FiberRefs.FiberRefs) => setRef(refs, FiberRef.currentMinimumLogLevel, options.show ?? LogLevel.Info),
      (refs: FiberRefs.FiberRefs) => captureLogs(refs, options.keep ?? "debug"),
      (refs: FiberRefs.FiberRefs) =>
        options.inTask === false ? refs : setRef(refs, currentAttempt, Option.some(attempt))
    ].reduce((all, step) => step(all), base.fiberRefs)
    Runtime.runSync(Runtime.make({ ...base, fiberRefs: refs }))(effect)
    return { recorded, shown }
  })

const everyLevel = Effect.all([
  Effect.logTrace("t"),
  Effect.logDebug("d"),
  Effect.logInfo("i"),
  Effect.logWarning("w"),
  Effect.logError("e"),
  Effect.logFatal("f")
])

describe("captureLogs", () => {
  it.effect("keeps lines from the given level, trace as debug and fatal as error, and shows what was shown before", () =>
    Effect.gen(function*() {
      const all = yield* run(everyLevel, { keep: "debug", show: LogLevel.Info })
      expect(all.recorded.map(([level, message]) => `${level} ${message}`)).toEqual([
        "debug t",
        "debug d",
        "info i",
        "warning w",
        "error e",
        "error f"
      ])
      expect(all.shown).toEqual(["INFO i", "WARN w", "ERROR e", "FATAL f"])

      const traced = yield* run(everyLevel, { keep: "debug", show: LogLevel.All })
      expect(traced.shown).toHaveLength(6)
      expect(traced.recorded).toHaveLength(6)

      const few = yield* run(everyLevel, { keep: "error", show: LogLevel.Debug })
      expect(few.recorded.map(([level, message]) => `${level} ${message}`)).toEqual(["error e", "error f"])
      expect(few.shown).toEqual(["DEBUG d", "INFO i", "WARN w", "ERROR e", "FATAL f"])

      const silent = yield* run(everyLevel, { keep: "info", show: LogLevel.None })
      expect(silent.shown).toEqual([])
      expect(silent.recorded.map(([level]) => level)).toEqual(["info", "warning", "error", "error"])
    }))

  it.effect("records nothing outside a task", () =>
    Effect.gen(function*() {
      const { recorded, shown } = yield* run(everyLevel, { inTask: false })
      expect(recorded).toEqual([])
      expect(shown).toHaveLength(4)
    }))

  it.effect("keeps annotations beside the message, and several messages in one line", () =>
    Effect.gen(function*() {
      const { recorded } = yield* run(Effect.annotateLogs(Effect.logInfo("code", 503, { a: [1] }), { attempt: 2 }))
      expect(recorded).toEqual([["info", "code 503 {\"a\":[1]}", { attempt: 2 }]])
    }))

  it.effect("an Error beside the message is its words; one with a form of its own is that", () =>
    Effect.gen(function*() {
      class Refused extends Data.TaggedError("Refused")<{ readonly code: number }> {}
      const { recorded } = yield* run(Effect.logError("it broke", new TypeError("no route"), new Refused({ code: 7 })))
      expect(recorded).toEqual([["error", "it broke TypeError: no route {\"code\":7,\"_tag\":\"Refused\"}", {}]])
    }))

  it.effect("keeps a cause with the line", () =>
    Effect.gen(function*() {
      const cause = Cause.die(new Error("outer", { cause: new Error("inner") }))
      const { recorded } = yield* run(Effect.logError("it broke", cause))
      expect(recorded).toHaveLength(1)
      expect(recorded[0]![1]).toMatch(/^it broke Error: outer/)
      expect(recorded[0]![1]).toContain("inner")
    }))

  it.effect("records from forked fibers and under another minimum level set inside", () =>
    Effect.gen(function*() {
      const { recorded } = yield* run(
        Effect.zipRight(
          Effect.all([Effect.logInfo("a"), Effect.logInfo("b")], { concurrency: "unbounded" }),
          Logger.withMinimumLogLevel(everyLevel, LogLevel.Error)
        )
      )
      expect(recorded.map(([, message]) => message)).toEqual(["a", "b", "e", "f"])
    }))

  it("leaves the given refs as they are", () => {
    const refs = FiberRefs.empty()
    expect(captureLogs(refs, "debug")).not.toBe(refs)
    expect(Option.isNone(FiberRefs.get(refs, FiberRef.currentLoggers))).toBe(true)
  })
})
