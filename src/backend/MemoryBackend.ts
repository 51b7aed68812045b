/**
 * The reference implementation of the backend port, in this process's memory. Written to be read.
 *
 * For tests, for development, and for work that may be lost with the process. Every method is one synchronous step, so it
 * is atomic by itself. Finished tasks are kept up to `maxRecords`, the ones that ended first go first, their keys with
 * them: here the bound wins over `keyTtl`.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ChangesTold from "../internal/changesTold.js"
import * as HintBoard from "../internal/hintBoard.js"
import { sizeOfLine } from "../internal/sizeOfLine.js"
import { type Batch, type Change, type Outcome, TaskBackend } from "../TaskBackend.js"
import { InstanceFenced } from "../TaskError.js"
import type { InstanceId } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"
import * as TaskRecord from "../TaskRecord.js"
import { isRetryable, isTerminal } from "../TaskStatus.js"
import { claim } from "./memoryClaim.js"
import * as Controls from "./memoryControls.js"
import * as Feed from "./memoryFeed.js"
import * as Instances from "./memoryInstances.js"
import { count, countBefore, deleteBefore, list } from "./memoryList.js"
import * as Stores from "./memoryStores.js"
import { type LiveRow, make as makeTables, type Tables } from "./memoryTables.js"

/** What bounds a memory backend. */
export interface MemoryBackendOptions {
  /** Finished tasks kept. Default 10,000. */
  readonly maxRecords?: number | undefined
  /** Unfinished tasks held; an enqueue from outside a task waits beyond it. Delayed tasks count. Default 10,000. */
  readonly maxLive?: number | undefined
}

const applied: Outcome = { _tag: "Applied" }
const lost: Outcome = { _tag: "Lost" }

const insert = (
  tables: Tables,
  { heldUntil, record }: Change & { readonly _tag: "Insert" },
  now: number
): Outcome => {
  const { retryOf } = record
  const original = retryOf === null ? undefined : tables.done.get(retryOf)
  if (retryOf !== null && (original === undefined || original.retriedAs !== null || !isRetryable(original.status))) {
    const status = original?.status ?? tables.live.get(retryOf)?.record.status ?? null
    return { _tag: "NotRetryable", status, retriedAs: original?.retriedAs ?? null }
  }
  const holder = tables.holderOf(record, now)
  if (holder !== undefined) return { _tag: "Duplicate", taskId: holder }
  tables.insert(record, now, heldUntil)
  if (original !== undefined) tables.done.set(original.taskId, { ...original, retriedAs: record.taskId })
  return applied
}

// Lines are counted here: the writer does not know of those another instance added.
const withLogsOf = ({ record: { logBytes, logLines } }: LiveRow, record: TaskRecord.TaskRecord) =>
  record.logLines === logLines && record.logBytes === logBytes ? record : { ...record, logBytes, logLines }

// The row whose attempt, or whose place in a window, the writer still holds.
const heldRow = (
  tables: Tables,
  taskId: TaskId,
  { claim, owner }: Pick<TaskRecord.TaskRecord, "claim" | "owner">,
  holding: "attempt" | "window"
): LiveRow | undefined => {
  const row = tables.live.get(taskId)
  if (row === undefined || row.record.owner === null || row.record.owner !== owner || row.record.claim !== claim) {
    return undefined
  }
  return TaskRecord.isLive(row.record) === (holding === "attempt") ? row : undefined
}

const endAttempt = (tables: Tables, change: Change & { readonly _tag: "Release" | "Finish" }, now: number): Outcome => {
  const { taskId } = change.record
  const row = heldRow(tables, taskId, change, "attempt")
  if (row === undefined) return lost
  const record = withLogsOf(row, change.record)
  if (change._tag === "Finish") {
    tables.finish(row, record, now)
    return applied
  }
  tables.addAttempt(taskId, change.attempt)
  if (row.record.cancelRequested) {
    finishCancelled(tables, row, { ...record, cancelRequested: true }, now)
    return { _tag: "CancelledInstead" }
  }
  tables.update(row, record, now)
  return applied
}

const finishCancelled = (
  tables: Tables,
  row: LiveRow,
  before: TaskRecord.TaskRecord,
  now: number
): TaskRecord.TaskRecord => {
  const event = { _tag: "Cancelled", taskId: before.taskId, at: now } as const
  const record = Option.getOrThrow(TaskRecord.apply(before, event))
  tables.finish(row, record, now)
  return record
}

const applyChange = (tables: Tables, change: Change, now: number): Outcome => {
  switch (change._tag) {
    case "Insert":
      return insert(tables, change, now)
    case "Start": {
      const row = heldRow(tables, change.record.taskId, change.record, "window")
      if (row === undefined) return lost
      tables.update(row, withLogsOf(row, change.record), now)
      return applied
    }
    case "Unclaim": {
      const row = heldRow(tables, change.record.taskId, change.record, "window")
      if (row === undefined) return lost
      tables.update(row, { ...row.record, owner: null }, now)
      return applied
    }
    case "Release":
    case "Finish":
      return endAttempt(tables, change, now)
    case "Log": {
      const row = tables.live.get(change.taskId)
      if (row === undefined && !tables.done.has(change.taskId)) return lost
      tables.addLog(change.taskId, change.line)
      if (row !== undefined) {
        row.record = {
          ...row.record,
          logLines: row.record.logLines + 1,
          logBytes: row.record.logBytes + sizeOfLine(change)
        }
      }
      return applied
    }
    case "Progress": {
      const row = heldRow(tables, change.taskId, change, "attempt")
      if (row === undefined) return lost
      row.record = { ...row.record, progress: change.progress }
      return applied
    }
  }
}

const fenced = (instance: InstanceId) => Effect.fail(new InstanceFenced({ instance }))

/** A new, empty backend. */
export const make = (options: MemoryBackendOptions = {}): Effect.Effect<TaskBackend["Type"]> =>
  Effect.sync(() => on(makeTables(options.maxRecords ?? 10_000), options.maxLive ?? 10_000))

/** A backend over these tables. */
export const on = (tables: Tables, maxLive: number): TaskBackend["Type"] => {
  const controls = Controls.make()
  const instances = Instances.make(tables, controls)
  const isAlive = (instance: InstanceId) => instances.get(instance)?.state === "live"
  const stores = Stores.make({
    controls,
    errors: tables.errors,
    isAlive,
    tasks: {
      isLive: (taskId) => tables.live.has(taskId),
      insert: (record, now, by) => {
        const outcome = insert(tables, { _tag: "Insert", record }, now)
        if (outcome._tag === "Applied") tell(now, by, [record])
        return outcome
      }
    }
  })
  const hints = HintBoard.make()
  const feed = Feed.make(() => hints.emit("changes"))
  const tell = (at: number, by: InstanceId | null, records: ReadonlyArray<TaskRecord.TaskRecord>): void => {
    if (by !== null) feed.tell(at, () => records.map((record) => ChangesTold.ofRecord(record, by, at)))
  }
  const linesOf = (taskId: TaskId): number | null =>
    (tables.live.get(taskId)?.record ?? tables.done.get(taskId))?.logLines ?? null

  const write = (batch: Batch): Effect.Effect<ReadonlyArray<Outcome>, InstanceFenced> => {
    const instance = instances.get(batch.instance)
    const before = instance?.lanes.get(batch.lane)
    // Also when it was declared dead meanwhile: this batch was written before.
    if (before?.number === batch.number) return Effect.succeed(before.outcomes)
    if (instance?.state !== "live") return fenced(batch.instance)
    const late = new Set<TaskId>()
    if (feed.isWatched()) {
      for (const change of batch.changes) {
        if (change._tag === "Log" && tables.done.has(change.taskId)) late.add(change.taskId)
      }
    }
    const outcomes = batch.changes.map((change) => applyChange(tables, change, batch.now))
    feed.tell(
      batch.now,
      () => ChangesTold.ofBatch(batch, outcomes, (taskId) => late.has(taskId) ? null : linesOf(taskId))
    )
    instance.lanes.set(batch.lane, { number: batch.number, outcomes })
    return Effect.succeed(outcomes)
  }

  return TaskBackend.of({
    info: { kind: "memory", durability: "none", shared: false, maxLive },
    attach: (facts, now) => Effect.sync(() => instances.attach(facts, now)),
    detach: (instance, now) => Effect.sync(() => instances.detach(instance, now)),
    heartbeat: (instance, now, vitals) => Effect.sync(() => instances.heartbeat(instance, now, vitals)),
    instances: Effect.sync(instances.list),
    drain: (instance, draining) => Effect.sync(() => instances.drain(instance, draining)),
    reap: ({ beat, limit, now, suspect }) =>
      Effect.sync(() => {
        const reaped = instances.reap(suspect, beat, limit, now)
        tell(now, instances.latest(), reaped.records)
        return reaped
      }),
    write: (batch) => Effect.suspend(() => write(batch)),
    claim: (request) =>
      Effect.suspend(() =>
        isAlive(request.instance)
          ? Effect.sync(() => {
            const claimed = claim(tables, controls, request)
            tell(request.now, request.instance, [...claimed.started, ...claimed.pending])
            return claimed
          })
          : fenced(request.instance)
      ),
    owned: (instance) =>
      Effect.sync(() => ({ records: tables.holdings.of(instance).rows.all.map(({ record }) => record), joined: [] })),
    joinTransaction: null,
    transaction: null,
    cancel: (taskId, now) =>
      Effect.sync(() => {
        const row = tables.live.get(taskId)
        if (row === undefined) {
          const status = tables.done.get(taskId)?.status
          return status !== undefined && isTerminal(status) ? { _tag: "AlreadyEnded", status } : { _tag: "NotFound" }
        }
        if (TaskRecord.isLive(row.record) && row.record.owner !== null) {
          const again = row.record.cancelRequested
          row.record = { ...row.record, cancelRequested: true }
          tell(now, instances.latest(), again ? [] : [row.record])
          return { _tag: "Requested", record: row.record, owner: row.record.owner! }
        }
        const record = finishCancelled(tables, row, row.record, now)
        tell(now, instances.latest(), [record])
        return { _tag: "Cancelled", record }
      }),
    get: (taskId) => Effect.sync(() => Option.fromNullable(tables.live.get(taskId)?.record ?? tables.done.get(taskId))),
    list: (query) => Effect.sync(() => list(tables, query)),
    logs: (taskId, { after, limit }) => Effect.sync(() => (tables.logs.get(taskId) ?? []).slice(after, after + limit)),
    attempts: (taskId) => Effect.sync(() => [...tables.attempts.get(taskId) ?? []]),
    stats: ({ taskName }) => Effect.sync(() => tables.stats(taskName)),
    count: (query, most) => Effect.sync(() => count(tables, query, most)),
    unfinished: Effect.sync(tables.unfinished),
    rollups: (query) => Effect.sync(() => tables.rollups.read(query)),
    deleteBefore: (cutoff, limit, status) => Effect.sync(() => deleteBefore(tables, cutoff, limit, status)),
    countBefore: (cutoff, most) => Effect.sync(() => countBefore(tables, cutoff, most)),
    feed: (query) => Effect.sync(() => feed.read(query)),
    hints: hints.hints,
    maintain: (now) =>
      Effect.sync(() => {
        instances.maintain(now)
        tables.errors.maintain(now)
        tables.rollups.maintain(now)
        feed.forget(now)
      }),
    ...stores
  })
}

/** A backend of its own for each layer value. */
export const layer = (options?: MemoryBackendOptions): Layer.Layer<TaskBackend> =>
  Layer.effect(TaskBackend, make(options))
