/** `key`: makes an encryption key, and says which keys the tasks of a database need. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Sealed from "../internal/sealed.js"
import * as TaskCipher from "../TaskCipher.js"
import type { TaskId } from "../TaskId.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import * as Progress from "./progress.js"
import { Ended, exit, misused, Screen } from "./Screen.js"
import * as Text from "./text.js"

const options = {
  ...Asking.database,
  id: Options.text("id").pipe(
    Options.withDescription("Write the key as TASKFLOW_ENCRYPTION_KEYS wants it: ID:KEY."),
    Options.optional
  ),
  check: Options.boolean("check").pipe(
    Options.withDescription(
      "Make none: say which keys the newest tasks need, and whether TASKFLOW_ENCRYPTION_KEYS has them."
    )
  ),
  json: Asking.json
}

const looked = 5_000
const page = 200

interface Used {
  tasks: number
  unreadable: number
  example: TaskId | null
}

/** How many of the newest tasks each key encrypted, and how many of these cannot be read with the keys that are here. */
const usedIn = ({ backend, inspector }: Database.Reading, database: Database.Database, advance: Progress.Advance) =>
  Effect.gen(function*() {
    const used = new Map<string | null, Used>()
    let cursor: TaskId | undefined
    for (let tasks = 0; tasks < looked; tasks += page) {
      const stored = yield* Effect.mapError(inspector.backend.list({ limit: page, cursor }), database.failure)
      const opened = yield* Effect.mapError(backend.list({ limit: page, cursor }), database.failure)
      const sealed = new Set(opened.items.filter(({ payload }) => Sealed.isSealed(payload)).map(({ taskId }) => taskId))
      for (const { payload, taskId } of stored.items) {
        const keyId = Sealed.keyIdOf(payload)
        const of = used.get(keyId) ?? { tasks: 0, unreadable: 0, example: null }
        used.set(keyId, of)
        of.tasks += 1
        if (sealed.has(taskId)) {
          of.unreadable += 1
          of.example ??= taskId
        }
      }
      yield* advance(stored.items.length)
      if (stored.nextCursor === null) break
      cursor = stored.nextCursor
    }
    return used
  })

const check = (asked: Database.Asked & { readonly json: boolean }) =>
  Effect.gen(function*() {
    const { note, out } = yield* Screen
    const database = yield* Database.find(asked)
    const reading = yield* Database.reading(database)
    const used = yield* Progress.during("reading", null, (advance) => usedIn(reading, database, advance))
    const unreadable = [...used.values()].reduce((sum, one) => sum + one.unreadable, 0)
    if (asked.json) {
      const keys = [...used].map(([keyId, of]) => ({ keyId, ...of }))
      yield* out(Text.json({ keys, unreadable }))
    } else if (used.size === 0) yield* note("there are no tasks")
    else {
      const rows = [...used].map(([keyId, { example, tasks, unreadable }]) => [
        keyId ?? "(not encrypted)",
        String(tasks),
        unreadable === 0 ? "yes" : unreadable === tasks ? "no" : `all but ${unreadable}`,
        example ?? ""
      ])
      yield* out(Text.table(["KEY", "TASKS", "READABLE", "EXAMPLE"], rows, null))
      if (unreadable > 0) yield* note("a key of TASKFLOW_ENCRYPTION_KEYS is missing, or another one has its id")
    }
    if (unreadable > 0) return yield* new Ended({ code: exit.failed })
  })

export const key = Command.make("key", options, (asked) =>
  Effect.gen(function*() {
    const { note, out } = yield* Screen
    if (asked.check) return yield* check(asked)
    const id = Option.getOrNull(asked.id)
    if (id !== null && !/^[A-Za-z0-9_-]{1,32}$/.test(id)) {
      return yield* misused("--id has other characters than letters, digits, - and _, or more than 32")
    }
    const made = Redacted.value(yield* TaskCipher.generateKey)
    yield* out(asked.json ? Text.json({ id, key: made }) : id === null ? made : `${id}:${made}`)
    if (!asked.json) {
      yield* note("Keep it where you keep secrets, and not beside the database: nobody can read the tasks without it.")
    }
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Make an encryption key, or check those that are set."))
