import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect } from "effect"
import * as SaidAgain from "../../src/internal/saidAgain.js"
import { collectedLogs } from "../support/engine.js"

const cause = Cause.fail(new Error("no route"))

describe("what fails again and again", () => {
  it.effect("is said at once and then once a minute, with how often it was, until it works", () => {
    const { layer, lines } = collectedLogs()
    return Effect.gen(function*() {
      let now = 1_000_000
      const trouble = SaidAgain.make(() => now)
      const failFor = (seconds: number) =>
        Effect.gen(function*() {
          for (let second = 0; second < seconds; second += 1, now += 1_000) yield* trouble.failed("it failed", cause)
          return lines.splice(0).map(({ message }) => message)
        })
      expect(yield* failFor(150)).toEqual([
        "it failed",
        "it failed (61 failures by now)",
        "it failed (121 failures by now)"
      ])
      trouble.worked()
      expect(yield* failFor(30)).toEqual(["it failed"])
      // A clock that was set back does not silence it.
      now -= 3_600_000
      expect(yield* failFor(30)).toEqual(["it failed (31 failures by now)"])
    }).pipe(Effect.provide(layer))
  })
})
