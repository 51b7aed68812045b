/** `prune`: removes finished tasks by age, in bounded steps. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { spanOf } from "../http/filter/amounts.js"
import { TaskBackend } from "../TaskBackend.js"
import * as TaskStatus from "../TaskStatus.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import * as Progress from "./progress.js"
import { type Failure, misused, Screen } from "./Screen.js"
import * as Text from "./text.js"
import { audited, whoIs } from "./who.js"

// One call of the backend, so that others have their turn in between; and how far is counted before.
const step = 500
const mostCounted = 1_000_000

const terminal = TaskStatus.all.filter(TaskStatus.isTerminal)

const statusesOf = (text: string): Effect.Effect<ReadonlyArray<TaskStatus.Terminal>, Failure> => {
  const words = text.split(",").map((word) => word.trim())
  const known = terminal.filter((status) => words.includes(status))
  return known.length === new Set(words).size
    ? Effect.succeed(known)
    : Effect.fail(misused(`--status is ${JSON.stringify(text)}: one or more of ${terminal.join(", ")}, with commas`))
}

const options = {
  ...Asking.database,
  olderThan: Options.text("older-than").pipe(
    Options.withDescription("Those that ended longer ago than this, as 90d, 12h or 30m.")
  ),
  status: Options.text("status").pipe(
    Options.withDescription(`How they ended: ${terminal.join(", ")}, with commas. Default: all of them.`),
    Options.withDefault(terminal.join(","))
  ),
  dryRun: Asking.dryRun,
  yes: Asking.yes,
  by: Asking.by,
  json: Asking.json
}

export const prune = Command.make("prune", options, (asked) =>
  Effect.gen(function*() {
    const { out } = yield* Screen
    const age = spanOf(asked.olderThan)
    if (age === null) {
      return yield* misused(`--older-than is ${JSON.stringify(asked.olderThan)}: a number and d, h, m, s or ms, as 90d`)
    }
    const statuses = yield* statusesOf(asked.status)
    const database = yield* Database.find(asked)
    const cutoff = (yield* Clock.currentTimeMillis) - age
    const count = yield* Effect.scoped(Effect.flatMap(Database.reading(database), ({ inspector }) =>
      Effect.mapError(inspector.countBefore(cutoff, mostCounted, statuses), database.failure)))
    const counted = `${count >= mostCounted ? "at least " : ""}${Text.many(count, "task")}`
    if (asked.dryRun) {
      return yield* out(
        asked.json
          ? Text.json({ dryRun: true, tasks: count, atLeast: count >= mostCounted })
          : `${counted} would be removed`
      )
    }
    if (!asked.yes) {
      return yield* misused(`${counted} would be removed. Nothing was done: say --yes.`)
    }
    const removed = count === 0 ? 0 : yield* Effect.gen(function*() {
      const backend = yield* TaskBackend
      let removed = 0
      const all = (advance: Progress.Advance) =>
        Effect.gen(function*() {
          for (;;) {
            const some = yield* backend.deleteBefore(cutoff, step, statuses)
            removed += some
            yield* advance(some)
            if (some < step) {
              return
            }
            yield* Effect.yieldNow()
          }
        })
      yield* audited(
        backend.audit,
        { who: whoIs(asked.by), action: "delete_history" },
        () => ({ endedBefore: new Date(cutoff).toISOString(), status: statuses, deleted: removed }),
        () =>
          `${Text.many(removed, "task")} removed`,
        Progress.during("removing", count, all)
      )
      return removed
    }).pipe(Effect.mapError(database.failure), Effect.provide(Database.writing(database)))
    yield* out(asked.json ? Text.json({ dryRun: false, tasks: removed }) : `${Text.many(removed, "task")} removed`)
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Remove finished tasks by age. Successes that hold a key stay."))
