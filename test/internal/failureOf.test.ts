import { describe, expect, it } from "@effect/vitest"
import { Cause, Data, Effect, Exit, FastCheck as fc, FiberId } from "effect"
import { failureOf, messageOf, nameOf, prettyCause } from "../../src/internal/failureOf.js"

class SmtpError extends Data.TaggedError("SmtpError")<{ readonly code: number }> {}

const thrower = (): never => {
  throw new Error("no")
}
const withGetter = (name: string, on: object = {}, enumerable = true) =>
  Object.defineProperty(on, name, { configurable: true, enumerable, get: thrower })

const circular: { self?: unknown; readonly text: string } = { text: "round" }
circular.self = circular
const ownCause: Error & { cause?: unknown } = new Error("I am my own cause")
ownCause.cause = ownCause

/** Everything a handler might throw to see what happens. */
const weird: ReadonlyArray<readonly [string, unknown]> = [
  ["undefined", undefined],
  ["null", null],
  ["a boolean", false],
  ["NaN", Number.NaN],
  ["a bigint", 10n],
  ["a symbol", Symbol("s")],
  ["a function", () => 1],
  ["an empty string", ""],
  ["a lone surrogate", "\ud800"],
  ["NUL", "\0"],
  ["a circular object", circular],
  ["an object without prototype", Object.create(null)],
  ["an array", [1, [2]]],
  ["a Map", new Map([[1, 2]])],
  ["an object that holds a bigint", { n: 1n }],
  ["a getter that throws", withGetter("boom")],
  ["a _tag that throws", withGetter("_tag")],
  ["a hidden _tag that throws", withGetter("_tag", {}, false)],
  ["a message that throws", withGetter("message")],
  ["a toString that throws", { toString: thrower }],
  ["a toJSON that throws", { toJSON: thrower }],
  ["a toJSON that gives nothing", { toJSON: () => undefined, toString: thrower }],
  ["an Error whose message throws", withGetter("message", new Error("x"))],
  ["an Error whose name throws", withGetter("name", new Error("x"))],
  ["an Error whose stack throws", withGetter("stack", new Error("x"))],
  ["an Error whose cause throws", withGetter("cause", new Error("x"))],
  ["an Error without a name", Object.assign(new Error("m"), { name: undefined })],
  ["an Error whose name is a number", Object.assign(new Error("m"), { name: 5 })],
  ["an Error whose name has no text", Object.assign(new Error("m"), { name: Object.create(null) })],
  ["an Error whose message is a number", Object.assign(new Error("m"), { message: 5 })],
  ["an Error whose stack is a number", Object.assign(new Error("m"), { stack: 5 })],
  ["an Error without a stack", Object.assign(new Error("m"), { stack: undefined })],
  ["an Error that is its own cause", ownCause],
  [
    "a Proxy that refuses everything",
    new Proxy({}, { get: thrower, has: thrower, ownKeys: thrower, getPrototypeOf: thrower })
  ],
  ["a Proxy of an Error", new Proxy(new Error("e"), { get: thrower, has: thrower })],
  ["an invalid Date", new Date(Number.NaN)]
]

describe("failureOf", () => {
  describe("whatever was thrown", () => {
    it.each(weird)("%s: is told in bounded text", (_, thrown) => {
      for (
        const cause of [Cause.die(thrown), Cause.fail(thrown), Cause.parallel(Cause.die(thrown), Cause.die(thrown))]
      ) {
        const { cause: parts, ...failure } = failureOf("defect", thrown, cause, null)
        expect(parts === undefined, "a cause of one part is told by the rest").toBe(cause._tag !== "Parallel")
        expect(failure).toEqual({
          kind: "defect",
          name: expect.any(String),
          message: expect.any(String),
          stack: expect.any(String),
          error: null
        })
        expect(failure.name).not.toBe("")
        expect(failure.stack).not.toBe("")
      }
    })

    it.prop("is told in bounded text", [
      fc.anything({ withNullPrototype: true, withMap: true, withBigInt: true, withDate: true })
    ], ([
      thrown
    ]) => {
      const failure = failureOf("defect", thrown, Cause.die(thrown), null)
      expect(typeof failure.message).toBe("string")
      expect(typeof failure.stack).toBe("string")
    })
  })

  describe("nameOf", () => {
    it.each<[unknown, string]>([
      [new SmtpError({ code: 503 }), "SmtpError"],
      [{ _tag: "Plain" }, "Plain"],
      [{ _tag: 5 }, "object"],
      [new TypeError("x"), "TypeError"],
      [new Error("x"), "Error"],
      ["text", "string"],
      [null, "null"],
      [undefined, "undefined"],
      [10n, "bigint"],
      [new Error("m", {}), "Error"]
    ])("%s is grouped as %s", (error, name) => {
      expect(nameOf(error)).toBe(name)
    })

    it("is bounded", () => {
      expect(nameOf({ _tag: "T".repeat(10_000) }).length).toBeLessThanOrEqual(210)
      expect(nameOf(Object.assign(new Error(), { name: "N".repeat(10_000) })).length).toBeLessThanOrEqual(210)
    })
  })

  describe("messageOf", () => {
    it.each<[unknown, string]>([
      [new Error("no route"), "no route"],
      [{ message: "said so" }, "said so"],
      [{ message: "" }, "{\"message\":\"\"}"],
      [{ message: 5, code: 1 }, "{\"message\":5,\"code\":1}"],
      ["text", "text"],
      [{ code: 503 }, "{\"code\":503}"],
      [undefined, "undefined"],
      [null, "null"],
      [Symbol("s"), "Symbol(s)"],
      [circular, "object"],
      ["\ud800", "\ud800"]
    ])("%s reads %s", (error, message) => {
      expect(messageOf(error)).toBe(message)
    })

    it("is bounded", () => {
      for (const error of [new Error("m".repeat(100_000)), "m".repeat(100_000), { long: "m".repeat(100_000) }]) {
        expect(messageOf(error).length).toBeLessThanOrEqual(4_096 + 10)
        expect(messageOf(error)).toMatch(/… \(cut\)$/)
      }
    })
  })

  describe("prettyCause", () => {
    const frames = (...files: ReadonlyArray<string>) => files.map((file) => `    at run (${file}:1:1)`).join("\n")
    const errorWith = (stack: string) => Object.assign(new Error("boom"), { stack: `Error: boom\n${stack}` })
    const lines = (text: string) => text.split("\n").map((line) => /\(([^)]+):1:1\)/.exec(line)?.[1] ?? line.trim())

    it("puts the handler's own frames first, and keeps a few of the others behind them", () => {
      const pretty = prettyCause(Cause.die(errorWith(frames(
        "/app/node_modules/effect/a.js",
        "/app/src/handler.ts",
        "node:internal/process/task_queues",
        "/app/node_modules/effect-taskflow/dist/TaskRunner.js",
        "/app/src/smtp.ts"
      ))))
      expect(lines(pretty)).toEqual([
        "Error: boom",
        "/app/src/handler.ts",
        "/app/src/smtp.ts",
        "/app/node_modules/effect/a.js",
        "node:internal/process/task_queues",
        "/app/node_modules/effect-taskflow/dist/TaskRunner.js"
      ])
    })

    it("of frames that are not the handler's own keeps five", () => {
      const foreign = Array.from({ length: 12 }, (_, index) => `/app/node_modules/lib/${index}.js`)
      expect(lines(prettyCause(Cause.die(errorWith(frames("/app/src/handler.ts", ...foreign)))))).toEqual([
        "Error: boom",
        "/app/src/handler.ts",
        ...foreign.slice(0, 5)
      ])
    })

    it("does so in each block of its own, the cause of an error included", () => {
      const inner = errorWith(frames("/app/node_modules/pg/index.js", "/app/src/db.ts"))
      const outer = Object.assign(errorWith(frames("/app/node_modules/effect/b.js", "/app/src/handler.ts")), {
        cause: inner
      })
      const pretty = lines(prettyCause(Cause.fail(outer)))
      const order = [
        "/app/src/handler.ts",
        "/app/node_modules/effect/b.js",
        "/app/src/db.ts",
        "/app/node_modules/pg/index.js"
      ]
      expect(pretty.filter((line) => order.includes(line))).toEqual(order)
      expect(pretty.some((line) => line.includes("cause"))).toBe(true)
    })

    it("tells all that went wrong", () => {
      const pretty = prettyCause(Cause.parallel(Cause.fail(new SmtpError({ code: 1 })), Cause.die(new Error("second"))))
      expect(pretty).toContain("SmtpError")
      expect(pretty).toContain("second")
      expect(prettyCause(Cause.interrupt(FiberId.none))).toMatch(/interrupted/)
    })

    it("is at most 16 KiB, however deep the trouble", () => {
      const deep = Array.from({ length: 2_000 }, (_, index) => `/app/src/deep/${index}.ts`)
      const pretty = prettyCause(Cause.die(errorWith(frames(...deep))))
      expect(pretty.length).toBeLessThanOrEqual(16_384)
      expect(pretty).toMatch(/… \(cut\)$/)
      const many = Array.from(
        { length: 500 },
        (_, index) => Cause.die(new Error(`failure ${index} ${"x".repeat(100)}`))
      )
      expect(prettyCause(many.reduce(Cause.parallel)).length).toBeLessThanOrEqual(16_384)
    })

    it("begins with the handler's own frame in a real trace", () => {
      const exit = Effect.runSyncExit(Effect.sync(function inTheHandler() {
        throw new TypeError("x is not a function")
      }))
      const pretty = Exit.isFailure(exit) ? prettyCause(exit.cause) : ""
      expect(pretty.split("\n")[0]).toContain("TypeError: x is not a function")
      expect(pretty.split("\n")[1]).toContain("failureOf.test.ts")
    })
  })

  it("keeps the kind and the encoded error it is given", () => {
    const error = new SmtpError({ code: 503 })
    expect(failureOf("error", error, Cause.fail(error), "{\"code\":503}")).toMatchObject({
      kind: "error",
      name: "SmtpError",
      error: "{\"code\":503}"
    })
  })
})
