/** `migrate status` and `migrate up`. */
import { existsSync } from "node:fs"
import * as Command from "@effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { TablesState } from "../backend/Inspector.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import * as Progress from "./progress.js"
import { Ended, exit, failed, type Failure, Screen } from "./Screen.js"
import * as Text from "./text.js"

const options = { ...Asking.database, json: Asking.json }

const wordsOf = (tables: TablesState): string => {
  switch (tables._tag) {
    case "Unmanaged":
      return "Redis has no tables: there is nothing to migrate"
    case "None":
      return `there are no tables under this prefix; migrate up makes them`
    case "Old":
      return `the tables are of version ${tables.version}; migrate up brings them to version ${tables.known}`
    case "Current":
      return `the tables are of version ${tables.version}, as they should be`
    case "Newer":
      return `the tables are of version ${tables.version}, this package knows up to ${tables.known}: use a newer one`
  }
}

const jsonOf = (tables: TablesState) => {
  switch (tables._tag) {
    case "Unmanaged":
      return { state: "unmanaged", version: null, known: null, pending: [] }
    case "None":
      return { state: "none", version: null, known: tables.known, pending: tables.pending.map(({ name }) => name) }
    case "Old":
      return {
        state: "old",
        version: tables.version,
        known: tables.known,
        pending: tables.pending.map(({ name }) => name)
      }
    default:
      return { state: tables._tag.toLowerCase(), version: tables.version, known: tables.known, pending: [] }
  }
}

const isDone = ({ _tag }: TablesState): boolean => _tag === "Current" || _tag === "Unmanaged"

const status = Command.make("status", options, (asked) =>
  Effect.gen(function*() {
    const { note, out } = yield* Screen
    const database = yield* Database.find(asked)
    const { tables } = yield* Database.inspect(database)
    if (asked.json) yield* out(Text.json({ database: database.place.shown, ...jsonOf(tables) }))
    else {
      yield* out(`${database.place.shown}: ${wordsOf(tables)}`)
      if ("pending" in tables) {
        yield* note(`${Text.many(tables.pending.length, "step")} to take:`)
        yield* out(tables.pending.map(({ name }) => `  ${name}`).join("\n"))
      }
    }
    if (!isDone(tables)) return yield* new Ended({ code: exit.failed })
  }).pipe(Effect.scoped)).pipe(
    Command.withDescription(
      "Say which tables there are and what is to be done. Changes nothing; ends with 1 if there is something."
    )
  )

/** Which tables there are; none where SQLite has no file yet. */
const stateOf = (database: Database.Database): Effect.Effect<TablesState, Failure> =>
  database.place.kind === "sqlite" && !existsSync(database.place.filename)
    ? Effect.succeed({ _tag: "None", known: null, pending: [] })
    : Effect.scoped(Effect.map(Database.inspect(database), ({ tables }) => tables))

const up = Command.make("up", options, (asked) =>
  Effect.gen(function*() {
    const { out } = yield* Screen
    const database = yield* Database.find(asked)
    const found = yield* stateOf(database)
    if (found._tag === "Newer") return yield* failed(`${database.place.shown}: ${wordsOf(found)}`)
    if (isDone(found)) {
      return yield* out(
        asked.json
          ? Text.json({ database: database.place.shown, ...jsonOf(found), taken: [] })
          : `${database.place.shown}: ${wordsOf(found)}`
      )
    }
    yield* Progress.during("migrating", null, () => Effect.scoped(Layer.build(Database.opening(database))))
    const after = yield* stateOf(database)
    if (!isDone(after)) return yield* failed(`${database.place.shown}: ${wordsOf(after)}`)
    const taken = "pending" in found ? found.pending.map(({ name }) => name) : []
    yield* out(
      asked.json
        ? Text.json({ database: database.place.shown, ...jsonOf(after), taken })
        : `${database.place.shown}: ${wordsOf(after)} now${
          taken.length === 0 ? "" : ` (${Text.many(taken.length, "step")})`
        }`
    )
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Make the tables, or bring them up to date."))

export const migrate = Command.make("migrate").pipe(
  Command.withDescription("The tables of the database: which there are, and making them."),
  Command.withSubcommands([status, up])
)
