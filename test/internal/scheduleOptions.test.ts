/** What can be wrong with a schedule, and in which words. */
import { describe, expect, it } from "@effect/vitest"
import { Cron, Effect, Either, Schema } from "effect"
import { Task } from "effect-taskflow"
import * as ScheduleOptions from "../../src/internal/scheduleOptions.js"

const Report = Task.make("report", { payload: { month: Schema.Number }, priority: 3, tags: { team: "a" } })

const made = (source: ScheduleOptions.Source) =>
  ScheduleOptions.make(Report.definition, { payload: { month: 1 }, ...source }, "code", 5_000, 1_000)

const problemOf = (source: ScheduleOptions.Source) =>
  Effect.map(Effect.flip(made(source)), (error) => [error._tag, error.path, error.message] as const)

describe("a schedule", () => {
  it.effect("has defaults, and what its task says of all its runs", () =>
    Effect.gen(function*() {
      const { definition, facts } = yield* made({ every: "5 minutes" })
      expect(facts).toEqual({
        trigger: { _tag: "Every", millis: 300_000 },
        misfire: "once",
        maxCatchUp: 100,
        overlap: "allow",
        runOnStartup: false,
        payload: "{\"month\":1}",
        priority: 3,
        tags: { team: "a" },
        idempotencyKey: null,
        keyTtl: null,
        executor: "fiber",
        requeueOnInterrupt: false,
        maxCrashes: 3,
        definitionVersion: 1
      })
      expect(definition).toMatchObject({ name: "report", taskName: "report", origin: "code", anchor: 5_000 })
    }))

  it.effect("takes a cron with five fields, with six, with a zone, and a Cron of Effect", () =>
    Effect.gen(function*() {
      const triggers = yield* Effect.forEach([
        { cron: "0 3 * * *" },
        { cron: "30 0 3 * * *", timezone: "Europe/Rome" },
        { cron: Either.getOrThrow(Cron.parse("0 3 * * MON", "Europe/Rome")) }
      ], (source) => Effect.map(made(source), ({ facts }) => facts.trigger))
      expect(triggers).toMatchObject([
        { _tag: "Cron", timezone: "UTC" },
        { _tag: "Cron", timezone: "Europe/Rome" },
        { _tag: "Cron", timezone: "Europe/Rome" }
      ])
    }))

  it.effect("may not be both, neither, nothing, less than nothing, no cron, no zone", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [ScheduleOptions.Source, path: string, says: RegExp]> = [
        [{ every: "1 hour", cron: "0 3 * * *" }, "cron", /both/],
        [{}, "every", /neither/],
        [{ every: 0 }, "every", /every is 0/],
        [{ every: -5 }, "every", /every is -5/],
        [{ every: "a while" as never }, "every", /a while/],
        [{ every: "1 hour", timezone: "UTC" }, "timezone", /with every/],
        [{ cron: "0 25 * * *" }, "cron", /25/],
        [{ cron: "@daily" }, "cron", /0 0 \* \* \*/],
        [{ cron: "0 0 31 2 *" }, "cron", /no day/],
        [{ cron: "0 3 * * *", timezone: "Mars/Olympus" }, "timezone", /Mars\/Olympus/],
        [{ every: "1 hour", misfire: "never" as never }, "misfire", /skip, once, all/],
        [{ every: "1 hour", overlap: "queue" as never }, "overlap", /allow, skip/],
        [{ every: "1 hour", maxCatchUp: 0 }, "maxCatchUp", /1 to 1000/],
        [{ every: "1 hour", maxCatchUp: 1.5 }, "maxCatchUp", /1 to 1000/],
        [{ every: "1 hour", maxCatchUp: 1_001 }, "maxCatchUp", /1 to 1000/],
        [{ every: "1 hour", runOnStartup: "yes" as never }, "runOnStartup", /true or false/],
        [{ every: "1 hour", name: "" }, "name", /1 to 200/],
        [{ every: "1 hour", name: "a\nb" }, "name", /control/],
        [{ every: "1 hour", name: "x".repeat(201) }, "name", /1 to 200/]
      ]
      for (const [source, path, says] of wrong) {
        const [tag, at, message] = yield* problemOf(source)
        expect([tag, at], message).toEqual(["TaskScheduleError", path])
        expect(message).toMatch(says)
        expect(message).toMatch(/^schedule ".*" of task "report": /s)
      }
    }))

  it.effect("has a payload, tags and a priority as an enqueue has them", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [ScheduleOptions.Source, path: string]> = [
        [{ payload: { month: "May" } }, "month"],
        [{ payload: undefined }, "month"],
        [{ tags: { a: "x".repeat(1_025) } }, "tags.a"],
        [{ priority: 0.5 }, "priority"]
      ]
      for (const [source, path] of wrong) {
        const [tag, at, message] = yield* problemOf({ every: "1 hour", ...source })
        expect([tag, at], message).toEqual(["TaskArgumentError", path])
      }
    }))
})
