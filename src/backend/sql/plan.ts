/**
 * What a batch does to the rows it meets. Pure: rows as they were locked go in, outcomes and the rows to write come out.
 *
 * The changes are gone through in order on the rows in memory, so a batch means the same as its changes one by one, and it
 * is written in a handful of bulk statements whatever its size.
 */
import * as Option from "effect/Option"
import { sizeOfLine } from "../../internal/sizeOfLine.js"
import type { AttemptEntry, Batch, Change, Outcome } from "../../TaskBackend.js"
import type { LogLine } from "../../TaskEvent.js"
import * as TaskRecord from "../../TaskRecord.js"
import { isRetryable, type TaskStatus } from "../../TaskStatus.js"
import { countEnd, type Rollup } from "./ends.js"
import { countFailure, type Failures } from "./failures.js"
import { changing, keyHash, type LiveRow, liveRow } from "./rows.js"

/** A row of `live`: all of it when the batch made it, what can change when it was there. */
export type WorkRow =
  & Pick<LiveRow, "id" | "owner" | "claim" | "active" | "cancel" | "log_lines" | "log_bytes" | "state">
  & Partial<LiveRow>

export interface KeyRow {
  readonly taskId: string
  readonly until: number | null
}

/** What was found, under lock. */
export interface Found {
  readonly live: Map<string, WorkRow>
  readonly keys: Map<string, KeyRow>
  /** Hashes that somebody else is deciding. */
  readonly busyKeys: Set<string>
  /** The tasks that inserts want to retry: finished, or `running` and `pending` for the others. */
  readonly originals: Map<string, { readonly status: TaskStatus; readonly retriedAs: string | null }>
  /** Finished tasks among those that log lines are for. */
  readonly ended: Set<string>
}

/** What to write. */
export interface Plan {
  readonly outcomes: ReadonlyArray<Outcome>
  readonly inserts: Array<LiveRow>
  readonly updates: Array<WorkRow>
  readonly deletes: Array<string>
  readonly done: Array<TaskRecord.TaskRecord>
  readonly retried: Array<readonly [original: string, by: string]>
  /** Rows of `keys` that go, because they are freed or written anew. Only ones that are there: a missing row locks a gap. */
  readonly staleKeys: Array<string>
  readonly putKeys: Map<string, KeyRow>
  readonly tagged: Array<TaskRecord.TaskRecord>
  readonly logs: Array<readonly [taskId: string, line: LogLine]>
  readonly attempts: Array<readonly [taskId: string, entry: AttemptEntry]>
  readonly rollups: Map<string, Rollup>
  readonly failures: Map<string, Failures>
}

const applied: Outcome = { _tag: "Applied" }
const lost: Outcome = { _tag: "Lost" }

/** The record that a cancel makes of this one. */
export const cancelledAt = (record: TaskRecord.TaskRecord, at: number): TaskRecord.TaskRecord =>
  Option.getOrThrow(TaskRecord.apply(record, { _tag: "Cancelled", taskId: record.taskId, at }))

export const planOf = (batch: Batch, found: Found): Plan => {
  const { now } = batch
  const rows = found.live
  const fresh = new Set<string>()
  const dirty = new Set<string>()
  const gone = new Set<string>()
  const doneHere = new Map<string, number>()
  const done: Plan["done"] = []
  const retried: Plan["retried"] = []
  const putKeys: Plan["putKeys"] = new Map()
  const dropKeys = new Set<string>()
  const stored = [...found.keys.keys()]
  const tagged: Plan["tagged"] = []
  const logs: Plan["logs"] = []
  const attempts: Plan["attempts"] = []
  const rollups: Plan["rollups"] = new Map()
  const failures: Plan["failures"] = new Map()

  const put = (hash: string, row: KeyRow): void => {
    found.keys.set(hash, row)
    putKeys.set(hash, row)
    dropKeys.delete(hash)
  }

  const endKey = (record: TaskRecord.TaskRecord): void => {
    const hash = keyHash(record)
    // A key that somebody else has locked is left as it is: whoever meets it later sees by the end of its task what it is worth.
    if (hash === null || found.busyKeys.has(hash) || found.keys.get(hash)?.taskId !== record.taskId) return
    if (record.status !== "success") {
      found.keys.delete(hash)
      putKeys.delete(hash)
      dropKeys.add(hash)
    } else if (record.keyTtl !== null) {
      put(hash, { taskId: record.taskId, until: Math.floor(record.endedAt! + record.keyTtl) })
    }
  }

  const finish = (record: TaskRecord.TaskRecord): void => {
    const { taskId } = record
    rows.delete(taskId)
    dirty.delete(taskId)
    if (!fresh.delete(taskId)) gone.add(taskId)
    doneHere.set(taskId, done.length)
    done.push(record)
    found.ended.add(taskId)
    endKey(record)
    countEnd(rollups, record)
    countFailure(failures, record)
  }

  // One busy key holds up all that stay together with it.
  const busyGroups = new Set<number>()
  const isBusy = (record: TaskRecord.TaskRecord): boolean => {
    const hash = found.busyKeys.size === 0 ? null : keyHash(record)
    return hash !== null && found.busyKeys.has(hash)
  }
  if (found.busyKeys.size > 0) {
    for (const one of batch.changes) {
      if (one._tag === "Insert" && one.together !== undefined && isBusy(one.record)) busyGroups.add(one.together)
    }
  }

  const insert = ({ heldUntil, record, together }: Change & { readonly _tag: "Insert" }): Outcome => {
    const { retryOf, taskId } = record
    if (together !== undefined && busyGroups.has(together)) return { _tag: "KeyBusy" }
    const endedHere = retryOf === null ? undefined : done[doneHere.get(retryOf) ?? -1]
    const original = retryOf === null ? undefined : endedHere ?? found.originals.get(retryOf)
    if (retryOf !== null && (original === undefined || original.retriedAs !== null || !isRetryable(original.status))) {
      const retriedAs = original?.retriedAs ?? null
      // safe: an id that was stored as one
      return { _tag: "NotRetryable", status: original?.status ?? null, retriedAs: retriedAs as typeof taskId | null }
    }
    const hash = keyHash(record)
    if (hash !== null) {
      if (isBusy(record)) return { _tag: "KeyBusy" }
      const held = found.keys.get(hash)
      if (held !== undefined && (held.until === null || held.until > now)) {
        return { _tag: "Duplicate", taskId: held.taskId as typeof taskId } // safe: an id that was stored as one
      }
      put(hash, { taskId, until: null })
    }
    rows.set(taskId, liveRow(record, now, heldUntil))
    fresh.add(taskId)
    if (retryOf !== null && original !== undefined) {
      if (endedHere !== undefined) done[doneHere.get(retryOf)!] = { ...endedHere, retriedAs: taskId }
      else {
        found.originals.set(retryOf, { ...original, retriedAs: taskId })
        retried.push([retryOf, taskId])
      }
    }
    for (const _ in record.tags) {
      tagged.push(record)
      break
    }
    return applied
  }

  // The row whose attempt, or whose place in a window, the writer still holds.
  const held = (taskId: string, owner: string | null, claim: number, active: 0 | 1): WorkRow | undefined => {
    const row = rows.get(taskId)
    return row !== undefined && row.owner !== null && row.owner === owner && row.claim === claim &&
        row.active === active
      ? row
      : undefined
  }

  const change = (row: WorkRow, to: Partial<LiveRow>): Outcome => {
    Object.assign(row, to)
    if (!fresh.has(row.id)) dirty.add(row.id)
    return applied
  }

  const endAttempt = (one: Change & { readonly _tag: "Release" | "Finish" }): Outcome => {
    const row = held(one.record.taskId, one.owner, one.claim, 1)
    if (row === undefined) return lost
    // Lines are counted in the row: the writer does not know of those another instance added.
    const { log_bytes: logBytes, log_lines: logLines } = row
    const record = one.record.logLines === logLines && one.record.logBytes === logBytes
      ? one.record
      : { ...one.record, logBytes, logLines }
    if (one._tag === "Finish") {
      finish(record)
      return applied
    }
    attempts.push([record.taskId, one.attempt])
    if (row.cancel === 1) {
      finish(cancelledAt({ ...record, cancelRequested: true }, now))
      return { _tag: "CancelledInstead" }
    }
    return change(row, changing(record, now))
  }

  const outcomeOf = (one: Change): Outcome => {
    switch (one._tag) {
      case "Insert":
        return insert(one)
      case "Start": {
        const row = held(one.record.taskId, one.record.owner, one.record.claim, 0)
        return row === undefined || row.cancel === 1 ? lost : change(row, changing(one.record, now))
      }
      case "Unclaim": {
        const row = held(one.record.taskId, one.record.owner, one.record.claim, 0)
        if (row === undefined) return lost
        const { due_at, ready } = changing({ ...one.record, owner: null }, now)
        return change(row, { owner: null, due_at, ready })
      }
      case "Release":
      case "Finish":
        return endAttempt(one)
      case "Log": {
        const row = rows.get(one.taskId)
        if (row === undefined && !found.ended.has(one.taskId)) return lost
        logs.push([one.taskId, one.line])
        return row === undefined ? applied : change(row, {
          log_lines: row.log_lines + 1,
          log_bytes: row.log_bytes + sizeOfLine(one)
        })
      }
      case "Progress": {
        const row = held(one.taskId, one.owner, one.claim, 1)
        if (row === undefined) return lost
        const state = row.state === null ? { failures: 0, crashes: 0, failure: null } : JSON.parse(row.state)
        return change(row, { state: JSON.stringify({ ...state, progress: one.progress }) })
      }
    }
  }

  const outcomes = batch.changes.map(outcomeOf)
  return {
    outcomes,
    inserts: [...fresh].map((id) => rows.get(id) as LiveRow), // safe: made here from a whole record
    updates: [...dirty].map((id) => rows.get(id)!),
    deletes: [...gone],
    done,
    retried,
    staleKeys: stored.filter((hash) => dropKeys.has(hash) || putKeys.has(hash)),
    putKeys,
    tagged,
    logs,
    attempts,
    rollups,
    failures
  }
}
