/** `pause` and `resume`: of one task name, or of everything, for all instances. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type ControlTarget, maxPausedNames } from "../ControlStore.js"
import { isTaskName, taskNameExpected } from "../internal/definition.js"
import { TaskBackend } from "../TaskBackend.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import { failed, type Failure, misused, Screen } from "./Screen.js"
import * as Text from "./text.js"
import { audit, whoIs } from "./who.js"

const shared = {
  ...Asking.database,
  all: Options.boolean("all").pipe(Options.withDescription("Every task, whatever its name.")),
  by: Asking.by,
  json: Asking.json,
  task: Args.text({ name: "task" }).pipe(Args.withDescription("The name of a task."), Args.optional)
}

const targetOf = (
  command: string,
  { all, task }: { readonly all: boolean; readonly task: Option.Option<string> }
): Effect.Effect<ControlTarget, Failure> => {
  if (all === Option.isSome(task)) return Effect.fail(misused(`${command} takes the name of a task, or --all`))
  if (Option.isNone(task)) return Effect.succeed({ _tag: "Everything" })
  return isTaskName(task.value)
    ? Effect.succeed({ _tag: "Task", name: task.value })
    : Effect.fail(misused(`${JSON.stringify(task.value.slice(0, 250))} is no name of a task: ${taskNameExpected}`))
}

const wordsOf = (target: ControlTarget): string => target._tag === "Everything" ? "everything" : Text.line(target.name)

/** As the same is written down over HTTP. */
const entryOf = (action: "pause" | "resume", who: string, target: ControlTarget) =>
  target._tag === "Task"
    ? { who, action: `definition.${action}`, target: target.name }
    : { who, action, target: null }

const listed = (asked: Database.Asked & { readonly json: boolean }) =>
  Effect.gen(function*() {
    const { note, out } = yield* Screen
    const database = yield* Database.find(asked)
    const { backend } = yield* Database.reading(database)
    const controls = yield* Effect.mapError(backend.controls.list, database.failure)
    if (asked.json) {
      const items = controls.map(({ by, since, target }) => ({
        task: target._tag === "Everything" ? null : target.name,
        since: new Date(since).toISOString(),
        by
      }))
      return yield* out(Text.json({ items }))
    }
    if (controls.length === 0) return yield* note("nothing is paused")
    const rows = controls.map(({ by, since, target }) => [wordsOf(target), Text.time(since), by])
    yield* out(Text.table(["PAUSED", "SINCE", "BY"], rows, null))
  })

const list = Options.boolean("list").pipe(Options.withDescription("Only say what is paused."))

export const pause = Command.make("pause", { ...shared, list }, (asked) =>
  Effect.gen(function*() {
    if (asked.list) return yield* listed(asked)
    const { out } = yield* Screen
    const target = yield* targetOf("pause", asked)
    const database = yield* Database.find(asked)
    const who = whoIs(asked.by)
    const outcome = yield* Effect.gen(function*() {
      const { audit: trail, controls } = yield* TaskBackend
      const outcome = yield* controls.pause(target, who, yield* Clock.currentTimeMillis)
      yield* audit(trail, entryOf("pause", who, target))
      return outcome
    }).pipe(Effect.mapError(database.failure), Effect.provide(Database.writing(database)))
    if (outcome === "TooMany") {
      return yield* failed(`${maxPausedNames} names are paused already: resume some, or pause --all`)
    }
    const already = outcome === "AlreadyPaused"
    yield* out(
      asked.json
        ? Text.json({
          task: target._tag === "Task" ? target.name : null,
          outcome: already ? "alreadyPaused" : "paused"
        })
        : `${wordsOf(target)} ${already ? "was paused already" : "is paused: nothing of it starts until it is resumed"}`
    )
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Start no more tasks of this name, in all instances."))

export const resume = Command.make("resume", shared, (asked) =>
  Effect.gen(function*() {
    const { out } = yield* Screen
    const target = yield* targetOf("resume", asked)
    const database = yield* Database.find(asked)
    const who = whoIs(asked.by)
    const was = yield* Effect.gen(function*() {
      const { audit: trail, controls } = yield* TaskBackend
      const was = yield* controls.resume(target)
      yield* audit(trail, entryOf("resume", who, target))
      return was
    }).pipe(Effect.mapError(database.failure), Effect.provide(Database.writing(database)))
    if (!was) return yield* failed(`${wordsOf(target)} was not paused`)
    yield* out(
      asked.json
        ? Text.json({ task: target._tag === "Task" ? target.name : null, outcome: "resumed" })
        : `${wordsOf(target)} is resumed`
    )
  }).pipe(Effect.scoped)).pipe(Command.withDescription("End a pause."))
