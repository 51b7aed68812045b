/** `doctor`: what is wrong with a database, and what to do about it. Reads, and changes nothing. */
import * as Command from "@effect/cli/Command"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Finding } from "../backend/Inspector.js"
import { messageOf } from "../internal/failureOf.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import * as FleetChecks from "./fleetChecks.js"
import { scrubbed } from "./place.js"
import * as Progress from "./progress.js"
import { Ended, exit, Screen } from "./Screen.js"
import * as Text from "./text.js"

const options = { ...Asking.database, json: Asking.json }

const shown = ({ atLeast, code, count, example, level, todo, what }: Finding): string => {
  const number = count === null ? "" : `  ${atLeast ? "at least " : ""}${count.toLocaleString("en-US")}`
  const facts = Text.facts([["  for example", example], ["  what to do", todo]])
  return `${level}  ${code}${number}\n  ${Text.line(what)}\n${facts}`
}

export const doctor = Command.make("doctor", options, (asked) =>
  Effect.gen(function*() {
    const { out } = yield* Screen
    const database = yield* Database.find(asked)
    const inspector = yield* Database.inspect(database)
    // The rows of tables that are others than these cannot be asked.
    const whole = inspector.checks.length > 1
    const ofFleet = whole ? yield* FleetChecks.make(inspector.backend, yield* Clock.currentTimeMillis) : []
    const checks = [...inspector.checks, ...ofFleet]
    const found = yield* Progress.during("looking", checks.length, (advance) =>
      Effect.forEach(checks, ({ name, run }) =>
        Effect.zipLeft(
          Effect.catchAll(run, (error) =>
            Effect.succeed<ReadonlyArray<Finding>>([{
              code: "check.failed",
              level: "problem",
              what: `${name} could not be looked at: ${scrubbed(messageOf(error), database.place)}`,
              count: null,
              atLeast: false,
              example: null,
              todo: "let this user read the tables, and look again"
            }])),
          advance(1)
        )))
    const findings = found.flat()
    const problems = findings.filter(({ level }) =>
      level === "problem"
    ).length
    const looked = checks.map(({ name }) =>
      name
    )
    if (asked.json) yield* out(Text.json({ database: database.place.shown, checks: looked, problems, findings }))
    else {
      yield* out(`${database.place.shown}: looked at ${looked.join(", ")}`)
      for (const finding of findings) yield* out(`\n${shown(finding)}`)
      yield* out(
        findings.length === 0
          ? "nothing is wrong"
          : `\n${Text.many(problems, "problem")}, ${Text.many(findings.length - problems, "note")}`
      )
    }
    if (problems > 0) return yield* new Ended({ code: exit.found })
  }).pipe(Effect.scoped)).pipe(
    Command.withDescription("Say what is wrong with this database and what to do. Ends with 3 if there is a problem.")
  )
