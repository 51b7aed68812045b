/** `show`: everything that is known of one task. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { durationAt, waitAt } from "../http/filter/matches.js"
import * as TaskView from "../http/TaskView.js"
import * as Sealed from "../internal/sealed.js"
import { TaskNotFound } from "../TaskError.js"
import { isTaskId } from "../TaskId.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import * as Filtering from "./filtering.js"
import { statusOf } from "./list.js"
import { failed, misused, Screen } from "./Screen.js"
import * as Text from "./text.js"

const mostLines = 1_000

export const id = Args.text({ name: "id" }).pipe(Args.withDescription("The id of the task, as list shows it."))

const options = {
  ...Asking.database,
  lines: Options.integer("lines").pipe(
    Options.withDescription(`How many of its newest log lines, up to ${mostLines}. Default 20.`),
    Options.withDefault(20)
  ),
  arguments: Options.boolean("arguments").pipe(Options.withDescription("Show payload and result.")),
  json: Asking.json
}

const timeOrNull = (millis: number | null): string | null => millis === null ? null : Text.time(millis)
const spanOrNull = (millis: number | null): string | null => millis === null ? null : Text.span(millis)

const factsOf = (record: TaskRecord, now: number): string => {
  const tags = Object.entries(TaskView.shownTags(record, Filtering.redaction)).map(([name, value]) =>
    `${name}=${value}`
  )
  const { progress, schedule } = record
  return Text.facts([
    ["id", record.taskId],
    ["task", record.taskName],
    ["status", record.stopReason === null ? statusOf(record) : `${statusOf(record)} (${record.stopReason})`],
    ["created", Text.time(record.createdAt)],
    ["not before", timeOrNull(record.runAt)],
    ["started", timeOrNull(record.startedAt)],
    ["ended", timeOrNull(record.endedAt)],
    ["waited", spanOrNull(waitAt(record, now))],
    ["took", spanOrNull(durationAt(record, now))],
    ["attempts", String(record.attempts)],
    ["next attempt", timeOrNull(record.nextAttemptAt)],
    ["crashes", record.crashes === 0 ? null : String(record.crashes)],
    ["cancel asked", record.cancelRequested && record.endedAt === null ? "yes" : null],
    ["instance", record.instance],
    [
      "source",
      schedule === null ? record.source : `${record.source} (${schedule.name}, slot ${Text.time(schedule.slot)})`
    ],
    ["priority", record.priority === 0 ? null : String(record.priority)],
    ["tags", tags.length === 0 ? null : tags.join(" ")],
    [
      "key",
      record.idempotencyKey !== null && Sealed.isSealed(record.payload) ? Sealed.placeholder : record.idempotencyKey
    ],
    [
      "progress",
      progress === null ? null : Filtering.redaction.text(
        `${Math.round(progress.value * 100)}%${progress.message === null ? "" : ` ${Sealed.shown(progress.message)}`}`,
        { taskName: record.taskName, part: "progress" }
      )
    ],
    ["retry of", record.retryOf],
    ["retried as", record.retriedAs]
  ])
}

const indented = (text: string): string => Text.lines(text).split("\n").map((one) => `  ${one}`.trimEnd()).join("\n")

export const show = Command.make("show", { ...options, id }, (asked) =>
  Effect.gen(function*() {
    const { out } = yield* Screen
    if (asked.lines < 0 || asked.lines > mostLines) {
      return yield* misused(`--lines is ${asked.lines}: a whole number from 0 to ${mostLines}`)
    }
    const missing = failed(new TaskNotFound({ taskId: asked.id }).message)
    if (!isTaskId(asked.id)) return yield* missing
    const taskId = asked.id
    const database = yield* Database.find(asked)
    const { backend } = yield* Database.reading(database)
    const failing = Effect.mapError(database.failure)
    const record = yield* Effect.flatMap(
      failing(backend.get(taskId)),
      Option.match({ onNone: () => missing, onSome: Effect.succeed })
    )
    const { taskName } = record
    const ledger = yield* failing(backend.attempts(taskId))
    const attempts = TaskView.attempts(record, ledger, Filtering.redaction)
    const lines = asked.lines === 0 ? [] : yield* failing(
      backend.logs(taskId, { after: Math.max(0, record.logLines - asked.lines), limit: asked.lines })
    )
    const detail = TaskView.detail(record, undefined, {
      payload: false,
      logs: asked.lines > 0,
      redaction: Filtering.redaction
    })
    const values = asked.arguments
      ? {
        payload: Filtering.shownJson(record, "payload"),
        ...record.result === null ? {} : { result: Filtering.shownJson(record, "result") }
      }
      : {}
    if (asked.json) {
      const logs = lines.map((line) => TaskView.logLine(line, taskName, Filtering.redaction))
      const hidden = detail.hidden.filter((part) => !(part in values))
      return yield* out(Text.json({ ...detail, ...values, hidden, attemptList: attempts, logs }))
    }
    yield* out(factsOf(record, yield* Clock.currentTimeMillis))
    for (const [name, value] of Object.entries(values)) yield* out(`\n${name}\n${indented(Text.json(value))}`)
    if (detail.error !== null) yield* out(`\nerror\n${indented(Sealed.shown(detail.error))}`)
    if (detail.stacktrace !== null && detail.stacktrace !== "") {
      yield* out(`\nstack\n${indented(Sealed.shown(detail.stacktrace))}`)
    }
    if (attempts.length > 1) {
      const rows = attempts.map(({ attempt, duration, error, instance, outcome, startedAt }) => [
        String(attempt),
        outcome,
        startedAt === null ? "" : Text.time(Date.parse(startedAt)),
        duration === null ? "" : Text.span(duration),
        instance ?? "",
        Sealed.shown(error ?? "")
      ])
      yield* out(
        `\nattempts\n${indented(Text.table(["#", "OUTCOME", "STARTED", "TOOK", "INSTANCE", "ERROR"], rows, null))}`
      )
    }
    if (lines.length > 0) {
      const shown = lines.map((line) => TaskView.logText(line, taskName, Filtering.redaction))
      yield* out(
        `\nlog${record.logLines > lines.length ? `, the last ${lines.length} of ${record.logLines} lines` : ""}`
      )
      yield* out(indented(shown.join("\n")))
    }
  }).pipe(Effect.scoped)).pipe(Command.withDescription("Show one task: facts, attempts, error, log."))
