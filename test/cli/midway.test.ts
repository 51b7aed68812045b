/** What is done in many steps is written down although it ended in the middle. */
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import type { AuditEntry } from "effect-taskflow"
import { Screen } from "../../src/cli/Screen.js"
import { audited } from "../../src/cli/who.js"

/** Runs `steps`, which say what they have done so far, and tells what was written down and said about them. */
const told = (steps: (done: (count: number) => void) => Effect.Effect<void, Error>, signal: Deferred.Deferred<void>) =>
  Effect.gen(function*() {
    const entries: Array<Pick<AuditEntry, "who" | "action" | "outcome" | "parameters">> = []
    const notes: Array<string> = []
    let removed = 0
    const fiber = yield* audited(
      {
        append: (all) =>
          Effect.sync(() => {
            for (const { action, outcome, parameters, who } of all) entries.push({ action, outcome, parameters, who })
          })
      },
      { who: "ada", action: "delete_history" },
      () => ({ deleted: removed }),
      () => `${removed} removed`,
      steps((count) => removed += count)
    ).pipe(
      Effect.provideService(Screen, {
        out: () => Effect.void,
        note: (text) => Effect.sync(() => notes.push(text)),
        live: null,
        width: null,
        color: false,
        serving: () => {}
      }),
      Effect.fork
    )
    yield* Effect.raceFirst(
      Fiber.await(fiber),
      Effect.zipRight(Deferred.await(signal), Fiber.interrupt(fiber))
    )
    return { entries, notes, exit: yield* Fiber.await(fiber) }
  })

const entry = { who: "ada", action: "delete_history" }

describe("many steps", () => {
  it.effect("that a signal ends are written down as far as they came", () =>
    Effect.gen(function*() {
      const signal = yield* Deferred.make<void>()
      const { entries, exit, notes } = yield* told((done) =>
        Effect.sync(() => done(500)).pipe(
          Effect.zipRight(Deferred.succeed(signal, undefined)),
          Effect.zipRight(Effect.never)
        ), signal)
      expect(Exit.isInterrupted(exit)).toBe(true)
      expect(entries).toEqual([{ ...entry, outcome: "interrupted", parameters: "{\"deleted\":500}" }])
      expect(notes).toEqual(["ended early: at least 500 removed"])
    }))

  it.effect("that fail are too, and those that are done without a note", () =>
    Effect.gen(function*() {
      const never = yield* Deferred.make<void>()
      const failed = yield* told(
        (done) => Effect.zipRight(Effect.sync(() => done(7)), Effect.fail(new Error("gone"))),
        never
      )
      expect(Exit.isFailure(failed.exit)).toBe(true)
      expect(failed.entries).toEqual([{ ...entry, outcome: "failed", parameters: "{\"deleted\":7}" }])
      expect(failed.notes).toEqual(["ended early: at least 7 removed"])
      const whole = yield* told((done) => Effect.sync(() => done(9)), never)
      expect(whole.entries).toEqual([{ ...entry, outcome: "done", parameters: "{\"deleted\":9}" }])
      expect(whole.notes).toEqual([])
    }))
})
