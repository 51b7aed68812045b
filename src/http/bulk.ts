/** Actions on many tasks: which ones, what would happen, what happened. */
import * as Effect from "effect/Effect"
import { placeholder } from "../internal/redaction.js"
import { isSealed } from "../internal/sealed.js"
import type { TaskBackendError } from "../TaskError.js"
import { isTaskId, type TaskId } from "../TaskId.js"
import type { CancelOutcome } from "../TaskManager.js"
import type { TaskRecord } from "../TaskRecord.js"
import { isRetryable, isTerminal } from "../TaskStatus.js"
import type { SkipReason, TasksCancelled, TasksRetried } from "./ActionShapes.js"
import type { TaskForbidden } from "./auth/AuthProblem.js"
import { parse } from "./filter/parse.js"
import { print } from "./filter/print.js"
import * as Listing from "./listing.js"
import type { Parts } from "./parts.js"
import { type Filter, maxBulk, type Selection } from "./TaskParams.js"

export interface Asked {
  readonly action: string
  readonly target: string | null
  readonly selection: Selection
  readonly dryRun: boolean
}

// Actions under way at once: their commits share batches, and others get their turn.
const concurrency = 16

// Ids told in an audit entry.
export const toldIds = 20

interface Selected {
  readonly ids: ReadonlyArray<TaskId>
  /** What is known of those that a filter showed. */
  readonly records: ReadonlyMap<TaskId, TaskRecord>
  readonly unknown: number
  readonly nextCursor: string | null
}

const select = (parts: Parts, selection: Selection) =>
  "ids" in selection
    ? Effect.sync((): Selected => {
      const ids = [...new Set(selection.ids)]
      const known = ids.filter(isTaskId)
      return { ids: known, records: new Map(), unknown: ids.length - known.length, nextCursor: null }
    })
    : Effect.map(
      Listing.records(parts, selection.filter, { cursor: selection.cursor, limit: selection.limit ?? maxBulk }),
      ({ items, nextCursor }): Selected => ({
        ids: items.map(({ taskId }) => taskId),
        records: new Map(items.map((record) => [record.taskId, record])),
        unknown: 0,
        nextCursor
      })
    )

/** What became of one task: done with a value, or left alone. */
export type Fate<A> = { readonly done: A } | { readonly reason: SkipReason }

const reasonsOf = (fates: ReadonlyArray<Fate<unknown>>, unknown: number) => {
  const counts = new Map<SkipReason, number>(unknown === 0 ? [] : [["notFound", unknown]])
  for (const fate of fates) if ("reason" in fate) counts.set(fate.reason, (counts.get(fate.reason) ?? 0) + 1)
  const reasons = [...counts].map(([reason, count]) => ({ reason, count }))
  return { skipped: reasons.reduce((sum, { count }) => sum + count, 0), reasons }
}

// Whoever reads the audit trail need not be one who may see arguments: what was asked of them is told, with no value.
export const told = (filter: Filter): Readonly<Record<string, unknown>> => {
  if (filter.q === undefined) return filter
  const parsed = parse(filter.q)
  if (!parsed.ok) return { ...filter, q: null }
  if (parsed.terms.every(({ key }) => key !== "args")) return filter
  const hidden = [{ text: placeholder, prefix: false }]
  return { ...filter, q: print(parsed.terms.map((term) => term.key === "args" ? { ...term, values: hidden } : term)) }
}

const parametersOf = ({ dryRun, selection }: Asked): Readonly<Record<string, unknown>> =>
  "ids" in selection
    ? { taskIds: selection.ids.slice(0, toldIds), tasks: selection.ids.length, dryRun }
    : { filter: told(selection.filter), dryRun }

const skip = (reason: SkipReason) => () => Effect.succeed<Fate<never>>({ reason })

type Manager = Parts["manager"]

/** Runs one task again, or says why not. */
export const retryOne = (manager: Manager, taskId: TaskId): Effect.Effect<Fate<TaskId>, TaskBackendError> =>
  Effect.map(manager.retry(taskId), (done): Fate<TaskId> => ({ done })).pipe(
    Effect.catchTags({
      // Of payloads that are changed.
      TaskArgumentError: Effect.die,
      TaskNotFound: skip("notFound"),
      TaskWrongStatus: skip("wrongStatus"),
      TaskAlreadyRetried: skip("alreadyRetried"),
      TaskKeyHeld: skip("keyHeld"),
      TaskNotRegistered: skip("notRegistered"),
      TaskDecryptionError: skip("encrypted")
    })
  )

/** Stops one task, or says why not. */
export const cancelOne = (manager: Manager, taskId: TaskId): Effect.Effect<Fate<CancelOutcome>, TaskBackendError> =>
  Effect.map(manager.cancel(taskId), (done): Fate<CancelOutcome> => ({ done })).pipe(
    Effect.catchTags({ TaskNotFound: skip("notFound"), TaskWrongStatus: skip("wrongStatus") })
  )

const found = (parts: Parts, selected: Selected, taskId: TaskId) => {
  const known = selected.records.get(taskId)
  return known === undefined
    ? Effect.catchTag(parts.manager.get(taskId), "TaskNotFound", () => Effect.succeed(undefined))
    : Effect.succeed(known)
}

/** As `TaskManager.retry` would answer, but for keys, which only the retry itself finds held. */
export const wouldRetry = (record: TaskRecord | undefined, registered: ReadonlySet<string>): Fate<TaskId> =>
  record === undefined
    ? { reason: "notFound" }
    : !isRetryable(record.status)
    ? { reason: "wrongStatus" }
    : record.retriedAs !== null
    ? { reason: "alreadyRetried" }
    : record.kind !== "task" || !registered.has(record.taskName)
    ? { reason: "notRegistered" }
    : isSealed(record.payload)
    ? { reason: "encrypted" }
    : { done: record.taskId }

// Here, or in another instance that is alive.
const registeredNames = ({ manager }: Parts) =>
  Effect.zipWith(manager.registered, manager.instances, (here, instances) => [
    ...here.map(({ taskName }) => taskName),
    ...instances.flatMap(({ state, vitals }) => state === "live" ? vitals?.tasks ?? [] : [])
  ])

/** Retries what the selection shows. What was retried before is left alone, so asking twice runs nothing twice. */
export const retry = (parts: Parts, asked: Asked) =>
  parts.audited(
    {
      action: asked.action,
      target: asked.target,
      permission: "retry",
      parameters: parametersOf(asked),
      outcome: ({ dispatched, skipped }: typeof TasksRetried.Type) => ({ dispatched, skipped })
    },
    Effect.gen(function*() {
      const { manager } = parts
      const selected = yield* select(parts, asked.selection)
      const registered = new Set(yield* registeredNames(parts))
      const one = (taskId: TaskId): Effect.Effect<Fate<TaskId>, TaskBackendError> =>
        asked.dryRun
          ? Effect.map(found(parts, selected, taskId), (record) => wouldRetry(record, registered))
          : retryOne(manager, taskId)
      const fates = yield* Effect.forEach(selected.ids, one, { concurrency })
      const done = fates.filter((fate) => "done" in fate)
      return {
        dispatched: done.length,
        ...reasonsOf(fates, selected.unknown),
        results: asked.dryRun ? [] : selected.ids.flatMap((originalTaskId, index) => {
          const fate = fates[index]!
          return "done" in fate ? [{ originalTaskId, newTaskId: fate.done }] : []
        }),
        dryRun: asked.dryRun,
        nextCursor: selected.nextCursor
      }
    })
  )

/** As `TaskManager.cancel` would answer. */
export const wouldCancel = (record: TaskRecord | undefined): Fate<CancelOutcome> =>
  record === undefined
    ? { reason: "notFound" }
    : isTerminal(record.status)
    ? { reason: "wrongStatus" }
    : { done: record.status === "running" && record.nextAttemptAt === null ? "requested" : "cancelled" }

/** Stops what the selection shows. */
export const cancel = (
  parts: Parts,
  asked: Asked
): Effect.Effect<typeof TasksCancelled.Type, TaskBackendError | TaskForbidden | Listing.Problem> =>
  parts.audited(
    {
      action: asked.action,
      target: asked.target,
      permission: "cancel",
      parameters: parametersOf(asked),
      outcome: ({ cancelled, requested, skipped }) => ({ cancelled, requested, skipped })
    },
    Effect.gen(function*() {
      const selected = yield* select(parts, asked.selection)
      const one = (taskId: TaskId): Effect.Effect<Fate<CancelOutcome>, TaskBackendError> =>
        asked.dryRun
          ? Effect.map(found(parts, selected, taskId), wouldCancel)
          : cancelOne(parts.manager, taskId)
      const fates = yield* Effect.forEach(selected.ids, one, { concurrency })
      const count = (which: CancelOutcome) => fates.filter((fate) => "done" in fate && fate.done === which).length
      return {
        cancelled: count("cancelled"),
        requested: count("requested"),
        ...reasonsOf(fates, selected.unknown),
        dryRun: asked.dryRun,
        nextCursor: selected.nextCursor
      }
    })
  )
