/** `retry` and `cancel`: one task by its id, or many by a filter. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SkipReason } from "../http/ActionShapes.js"
import * as Bulk from "../http/bulk.js"
import type { TaskBackend } from "../TaskBackend.js"
import type { TaskBackendError } from "../TaskError.js"
import type { TaskId } from "../TaskId.js"
import { TaskManager } from "../TaskManager.js"
import type { TaskRecord } from "../TaskRecord.js"
import * as Asking from "./asking.js"
import * as Database from "./database.js"
import * as Filtering from "./filtering.js"
import * as Progress from "./progress.js"
import { failed, misused, Screen } from "./Screen.js"
import * as Text from "./text.js"
import { audit, audited, whoIs } from "./who.js"

const most = 100_000
// As in bulk actions over HTTP: their commits share batches.
const concurrency = 16

const options = {
  ...Asking.database,
  filter: Asking.filter,
  limit: Options.integer("limit").pipe(
    Options.withAlias("n"),
    Options.withDescription(`Of a filter, how many tasks at most, the newest first, up to ${most}. Default 1000.`),
    Options.withDefault(1_000)
  ),
  dryRun: Asking.dryRun,
  yes: Asking.yes,
  by: Asking.by,
  json: Asking.json,
  id: Args.text({ name: "id" }).pipe(Args.withDescription("The id of one task, as list shows it."), Args.optional)
}

type Manager = TaskManager["Type"]

/** What the two do differently. `A`: what comes of one task. */
interface Action<A> {
  readonly name: "retry" | "cancel"
  /** Of one task; its errors are those that people are told. */
  readonly one: (manager: Manager, id: string) => Effect.Effect<A, { readonly message: string }>
  readonly told: (id: string, done: A) => { readonly text: string; readonly json: Readonly<Record<string, unknown>> }
  readonly ofMany: (manager: Manager, id: TaskId) => Effect.Effect<Bulk.Fate<A>, TaskBackendError>
  readonly would: (record: TaskRecord, handled: ReadonlySet<string>) => Bulk.Fate<unknown>
  readonly past: string
}

const reasons: { readonly [Reason in SkipReason]: string } = {
  notFound: "not there any more",
  wrongStatus: "in another status",
  alreadyRetried: "retried before",
  keyHeld: "their idempotency key is held by another task",
  notRegistered: "no live instance has a handler",
  encrypted: "encrypted, and the key is not here"
}

const tallyOf = (fates: ReadonlyArray<Bulk.Fate<unknown>>) => {
  const skipped = new Map<SkipReason, number>()
  for (const fate of fates) if ("reason" in fate) skipped.set(fate.reason, (skipped.get(fate.reason) ?? 0) + 1)
  return { done: fates.filter((fate) => "done" in fate).length, skipped: Object.fromEntries(skipped) }
}

const wordsOf = ({ skipped }: ReturnType<typeof tallyOf>): string => {
  const parts = Object.entries(skipped).map(([reason, count]) =>
    `${count.toLocaleString("en-US")} ${reasons[reason as SkipReason] ?? reason}` // safe: a key of the map above
  )
  return parts.length === 0 ? "" : `; left alone: ${parts.join(", ")}`
}

/** The names that somebody alive has a handler for. */
export const handledNames = (backend: Pick<TaskBackend["Type"], "instances">) =>
  Effect.map(
    backend.instances,
    (all) => new Set(all.flatMap(({ state, vitals }) => state === "live" ? vitals?.tasks ?? [] : []))
  )

type Asked = Command.Command.ParseConfig<typeof options>

const ofOne = <A>(action: Action<A>, asked: Asked, database: Database.Database, id: string) =>
  Effect.gen(function*() {
    const { out } = yield* Screen
    const manager = yield* TaskManager
    const who = whoIs(asked.by)
    const done = yield* action.one(manager, id).pipe(
      Effect.tapError((error) =>
        audit(manager.audit, {
          who,
          action: action.name,
          target: id,
          outcome: "_tag" in error ? String(error._tag) : "failed"
        })
      ),
      Effect.mapError((error) =>
        "_tag" in error && error._tag === "TaskNotRegistered"
          ? failed(`nobody can run ${id}: no living instance has a handler for its task; start the application first`)
          : database.failure(error)
      )
    )
    const { json, text } = action.told(id, done)
    yield* audit(manager.audit, { who, action: action.name, target: id }, json)
    yield* out(asked.json ? Text.json(json) : text)
  })

const ofMany = <A>(action: Action<A>, asked: Asked, database: Database.Database, filter: string) =>
  Effect.gen(function*() {
    const { note, out } = yield* Screen
    const plan = yield* Filtering.planOf(filter, false)
    const selected = yield* Effect.scoped(Effect.gen(function*() {
      const { backend } = yield* Database.reading(database)
      const handled = yield* Effect.mapError(handledNames(backend), database.failure)
      // Of many tasks only this is kept: their payloads may be more than there is memory.
      const keep = (record: TaskRecord) => ({ taskId: record.taskId, fate: action.would(record, handled) })
      const found = yield* Progress.during(
        "reading",
        null,
        (advance) => Filtering.search(backend, plan, { limit: asked.limit, keep }, database, advance)
      )
      return { ...found, foreseen: tallyOf(found.items.map(({ fate }) => fate)) }
    }))
    const { foreseen, items, nextCursor } = selected
    const rest = nextCursor === null ? "" : ` There are more: --limit is ${asked.limit}.`
    if (asked.dryRun) {
      return yield* out(
        asked.json
          ? Text.json({ dryRun: true, matched: items.length, more: nextCursor !== null, ...foreseen })
          : `${Text.many(items.length, "task")} found, ${
            foreseen.done.toLocaleString("en-US")
          } would be ${action.past}` +
            `${wordsOf(foreseen)}.${rest}`
      )
    }
    if (!asked.yes) {
      return yield* misused(
        `${Text.many(foreseen.done, "task")} would be ${action.past}${
          wordsOf(foreseen)
        }. Nothing was done: say --yes.${rest}`
      )
    }
    const tally = items.length === 0 ? tallyOf([]) : yield* Effect.scoped(Effect.gen(function*() {
      const manager = yield* TaskManager
      const fates: Array<Bulk.Fate<A>> = []
      const one = (taskId: TaskId, advance: Progress.Advance) =>
        Effect.tap(action.ofMany(manager, taskId), (fate) => {
          fates.push(fate)
          return advance(1)
        })
      yield* audited(
        manager.audit,
        { who: whoIs(asked.by), action: `bulk_${action.name}` },
        () => ({ filter: { q: plan.applied }, dryRun: false, ...tallyOf(fates) }),
        () => `${Text.many(tallyOf(fates).done, "task")} ${action.past}`,
        Progress.during(
          action.name,
          items.length,
          (advance) => Effect.forEach(items, ({ taskId }) => one(taskId, advance), { concurrency, discard: true })
        )
      ).pipe(Effect.mapError(database.failure))
      return tallyOf(fates)
    })).pipe(Effect.provide(Database.operating(database)))
    yield* out(
      asked.json
        ? Text.json({ dryRun: false, matched: items.length, more: nextCursor !== null, ...tally })
        : `${Text.many(tally.done, "task")} ${action.past}${wordsOf(tally)}.`
    )
    if (nextCursor !== null) yield* note(rest.trim())
  })

const run = <A>(action: Action<A>) => (asked: Asked) =>
  Effect.gen(function*() {
    const { filter, id, limit } = asked
    if (Option.isSome(filter) === Option.isSome(id)) {
      return yield* misused(`${action.name} takes the id of one task, or --filter for many`)
    }
    if (limit < 1 || limit > most) return yield* misused(`--limit is ${limit}: a whole number from 1 to ${most}`)
    if (Option.isSome(filter)) {
      if (filter.value.trim() === "") return yield* misused("--filter is empty: it would mean every task")
      return yield* ofMany(action, asked, yield* Database.find(asked), filter.value)
    }
    const database = yield* Database.find(asked)
    const taskId = Option.getOrThrow(id)
    if (!asked.dryRun) {
      return yield* ofOne(action, asked, database, taskId).pipe(Effect.provide(Database.operating(database)))
    }
    const { out } = yield* Screen
    const { backend } = yield* Database.reading(database)
    const record = Option.getOrUndefined(
      // safe: a backend answers none for what is no id
      yield* Effect.mapError(backend.get(taskId as TaskId), database.failure)
    )
    const handled = yield* Effect.mapError(handledNames(backend), database.failure)
    const fate: Bulk.Fate<unknown> = record === undefined ? { reason: "notFound" } : action.would(record, handled)
    if ("reason" in fate) {
      return yield* failed(`${taskId} would not be ${action.past}: ${reasons[fate.reason] ?? fate.reason}`)
    }
    yield* out(asked.json ? Text.json({ dryRun: true, taskId }) : `${taskId} would be ${action.past}`)
  }).pipe(Effect.scoped)

const again: Action<TaskId> = {
  name: "retry",
  one: (manager, id) => manager.retry(id),
  told: (id, taskId) => ({ text: `runs again as ${taskId}`, json: { originalTaskId: id, newTaskId: taskId } }),
  ofMany: Bulk.retryOne,
  would: Bulk.wouldRetry,
  past: "retried"
}

const stop: Action<"cancelled" | "requested"> = {
  name: "cancel",
  one: (manager, id) => manager.cancel(id),
  told: (id, outcome) => ({
    text: outcome === "cancelled" ? "cancelled" : "it is running: its instance was asked to stop it",
    json: { taskId: id, outcome }
  }),
  ofMany: Bulk.cancelOne,
  would: (record) => Bulk.wouldCancel(record),
  past: "cancelled"
}

export const retry = Command.make("retry", options, run(again)).pipe(
  Command.withDescription("Run failed, interrupted or cancelled tasks again, as new tasks.")
)
export const cancel = Command.make("cancel", options, run(stop)).pipe(
  Command.withDescription("Stop tasks that have not ended.")
)
