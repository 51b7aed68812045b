/** `list`: tasks, newest first, by filter. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { durationAt } from "../http/filter/matches.js"
import * as TaskSearch from "../http/TaskSearch.js"
import * as TaskView from "../http/TaskView.js"
import * as Sealed from "../internal/sealed.js"
import { isWaiting, type TaskRecord } from "../TaskRecord.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import * as Filtering from "./filtering.js"
import * as Progress from "./progress.js"
import { misused, Screen } from "./Screen.js"
import * as Text from "./text.js"

const most = 10_000

const options = {
  ...Asking.database,
  filter: Asking.filter,
  limit: Options.integer("limit").pipe(
    Options.withAlias("n"),
    Options.withDescription(`How many at most, up to ${most}. Default 20.`),
    Options.withDefault(20)
  ),
  sort: Options.choice("sort", TaskSearch.sorts).pipe(
    Options.withDescription("In which order; with - from high to low. Default -created."),
    Options.withDefault("-created" as const)
  ),
  cursor: Options.text("cursor").pipe(
    Options.withDescription("Go on behind the page before, which named it."),
    Options.optional
  ),
  arguments: Options.boolean("arguments").pipe(
    Options.withDescription("Show payloads, and let the filter look into them (args.…).")
  ),
  json: Asking.json
}

/** Which status people are told: what waits for its next attempt is not running. */
export const statusOf = (record: TaskRecord): string => isWaiting(record) ? "retrying" : record.status

const rowOf = (record: TaskRecord, now: number, payloads: boolean): ReadonlyArray<string> => {
  const took = durationAt(record, now)
  const failure = record.failure === null
    ? ""
    : Filtering.redaction.text(record.failure.message, { taskName: record.taskName, part: "error" })
  return [
    record.taskId,
    record.taskName,
    statusOf(record),
    Text.time(record.createdAt),
    took === null ? "" : Text.span(took),
    String(record.attempts),
    ...payloads ? [JSON.stringify(Filtering.shownJson(record, "payload"))] : [],
    Sealed.shown(failure)
  ]
}

const jsonOf = (record: TaskRecord, payloads: boolean) => ({
  ...TaskView.summary(record, Filtering.redaction),
  ...payloads ? { payload: Filtering.shownJson(record, "payload") } : {}
})

export const list = Command.make("list", options, (asked) =>
  Effect.gen(function*() {
    const { note, out, width } = yield* Screen
    if (asked.limit < 1 || asked.limit > most) {
      return yield* misused(`--limit is ${asked.limit}: a whole number from 1 to ${most}`)
    }
    const filter = Option.getOrElse(asked.filter, () => "")
    const plan = yield* Effect.mapError(Filtering.planOf(filter, asked.arguments), (failure) =>
      !asked.arguments && failure.message.includes("arguments are hidden")
        ? misused(`${failure.message}\n--arguments lets it look into them`)
        : failure)
    const database = yield* Database.find(asked)
    const { backend } = yield* Database.reading(database)
    const now = yield* Clock.currentTimeMillis
    // Of many tasks only what is shown is kept: their payloads may be more than there is memory.
    const keep = (record: TaskRecord) =>
      asked.json
        ? { json: jsonOf(record, asked.arguments), row: [] }
        : { json: null, row: rowOf(record, now, asked.arguments) }
    const { complete, items, nextCursor } = yield* Progress.during(
      "reading",
      null,
      (advance) =>
        Filtering.search(
          backend,
          plan,
          { limit: asked.limit, sort: asked.sort, cursor: Option.getOrUndefined(asked.cursor), keep },
          database,
          advance
        )
    )
    if (asked.json) {
      return yield* out(Text.json({
        items: items.map(({ json }) =>
          json
        ),
        nextCursor,
        complete
      }))
    }
    const head = ["ID", "TASK", "STATUS", "CREATED", "TOOK", "ATTEMPTS", ...asked.arguments ? ["PAYLOAD"] : [], "ERROR"]
    if (items.length > 0) {
      yield* out(Text.table(head, items.map(({ row }) => row), width))
    }
    yield* note(Text.many(items.length, "task") + (nextCursor === null ? "" : `, more: --cursor ${nextCursor}`))
    if (!complete) yield* note("older tasks were not looked at: add since:, task: or status: to the filter")
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Show tasks, newest first."))
