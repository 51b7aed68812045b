import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, FastCheck as fc, FiberId } from "effect"
import { causeOf, failureOf, tellCause } from "../../src/internal/failureOf.js"

const shape = (cause: Cause.Cause<unknown>) =>
  causeOf(cause, null)?.parts.map(({ depth, kind, message }) => `${" ".repeat(depth)}${kind} ${message}`.trimEnd())

describe("what a cause is made of", () => {
  it("of one part nothing is kept: its failure tells it", () => {
    for (
      const cause of [Cause.fail("x"), Cause.die("x"), Cause.empty, Cause.parallel(Cause.fail("x"), Cause.empty)]
    ) expect(causeOf(cause, null)).toBeNull()
    expect(failureOf("error", "x", Cause.fail("x"), null)).not.toHaveProperty("cause")
  })

  it("parts of one kind stand side by side, others inside them", () => {
    const cause = Cause.parallel(
      Cause.parallel(Cause.fail("a"), Cause.sequential(Cause.die("b"), Cause.fail("c"))),
      Cause.interrupt(FiberId.none)
    )
    expect(shape(cause)).toEqual([
      "parallel",
      " error a",
      " sequential",
      "  defect b",
      "  error c",
      " interrupt"
    ])
  })

  it("has names, and frames without the message", () => {
    const cause = Cause.sequential(Cause.fail(new RangeError("too far")), Cause.die(new TypeError("no")))
    const [, first] = failureOf("error", null, cause, null).cause?.parts ?? []
    expect(first).toMatchObject({ name: "RangeError", message: "too far" })
    expect(first?.stack).toMatch(/^\s+at /)
    expect(first?.stack).not.toContain("too far")
  })

  it.effect("is what a handler's fibers failed with together", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Effect.all([Effect.fail("left"), Effect.fail("right")], { concurrency: 2, mode: "validate" }).pipe(
          Effect.ensuring(Effect.die("finalizer"))
        )
      )
      const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
      expect(shape(cause)?.[0]).toBe("sequential")
      expect(shape(cause)?.at(-1)).toBe(" defect finalizer")
    }))

  it("is bounded however wide, deep or long it is, and says how much is missing", () => {
    let wide: Cause.Cause<string> = Cause.empty
    for (let index = 0; index < 50_000; index += 1) wide = Cause.parallel(wide, Cause.fail("x".repeat(2_000)))
    let deep: Cause.Cause<string> = Cause.fail("bottom")
    for (let index = 0; index < 10_000; index += 1) {
      deep = index % 2 === 0 ? Cause.parallel(Cause.fail("p"), deep) : Cause.sequential(Cause.fail("s"), deep)
    }
    for (const [cause, leaves] of [[wide, 50_000], [deep, 10_001]] as const) {
      const found = causeOf(cause, null)
      const told = found?.parts.filter(({ kind }) => kind !== "parallel" && kind !== "sequential").length ?? 0
      expect(told + (found?.omitted ?? 0)).toBe(leaves)
      expect(JSON.stringify(found).length).toBeLessThan(16_000)
      expect(Math.max(...found?.parts.map(({ depth }) => depth) ?? [])).toBeLessThanOrEqual(8)
    }
  })

  it("of an error that came as data is what it was there", () => {
    const error = new Error("from a worker")
    const parts = causeOf(Cause.parallel(Cause.fail("a"), Cause.fail("b")), null)!
    tellCause(error, parts)
    expect(failureOf("error", error, Cause.fail(error), null).cause).toEqual(parts)
  })

  const causes: fc.Arbitrary<Cause.Cause<unknown>> = fc.letrec<{ cause: Cause.Cause<unknown> }>((tie) => ({
    cause: fc.oneof(
      { maxDepth: 12 },
      fc.constant(Cause.empty),
      fc.anything().map(Cause.fail),
      fc.anything().map(Cause.die),
      fc.constant(Cause.interrupt(FiberId.none)),
      fc.tuple(tie("cause"), tie("cause")).map(([a, b]) => Cause.parallel(a, b)),
      fc.tuple(tie("cause"), tie("cause")).map(([a, b]) => Cause.sequential(a, b))
    )
  })).cause

  it.prop("never throws, and every part but the first stands in one before it", [causes], ([cause]) => {
    const parts = causeOf(cause, null)?.parts ?? []
    let before = -1
    for (const { depth, kind } of parts) {
      expect(depth).toBeLessThanOrEqual(before + 1)
      before = kind === "parallel" || kind === "sequential" ? depth : Math.max(depth - 1, -1)
    }
  })
})
