/**
 * Task records as rows and back.
 *
 * What statements decide by has columns; the rest of an unfinished record is two JSON texts: `facts`, which never change,
 * and `state`, null while nothing failed. Finished ones are in `doneRows.ts`.
 */
import * as Durations from "../../internal/durations.js"
import type { InstanceId } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import { dueAt, durationOf, isLive, type TaskRecord } from "../../TaskRecord.js"
import type { Row, Value } from "./dialect.js"
import { type Column, tables } from "./schema.js"
import { nameText, scheduleHash } from "./texts.js"

export { auditHash, keyHash, nameText, scheduleHash, tagHash } from "./texts.js"

/** An unfinished row: its columns under their own names. */
export interface LiveRow {
  id: string
  task: string
  version: number
  priority: number
  source: string
  created_at: number
  ready: number | null
  due_at: number | null
  next_attempt_at: number | null
  status: string
  owner: string | null
  active: number
  claim: number
  attempts: number
  cancel: number
  suspect: number
  started_at: number | null
  attempt_started_at: number | null
  instance: string | null
  log_lines: number
  log_bytes: number
  state: string | null
  facts: string
  schedule: string | null
}

/** Whether a record waits for its process to be the only suspect: it crashed before, and one more crash would end it. */
export const isSuspect = ({ crashes, maxCrashes }: Pick<TaskRecord, "crashes" | "maxCrashes">): boolean =>
  crashes >= 1 && crashes >= maxCrashes - 1

const stateOf = (record: TaskRecord): string | null => {
  const { crashes, failure, failures, progress } = record
  return failures === 0 && crashes === 0 && failure === null && progress === null
    ? null
    : JSON.stringify({ failures, crashes, failure, progress })
}

// What most tasks have in common is left out, and put back when it is read. Put together by hand: `JSON.stringify` of an object
// took three times as long, and this is done for every task.
const factsOf = (record: TaskRecord): string => {
  let text = `{"name":${nameText(record.taskName)},"payload":${JSON.stringify(record.payload)}`
  if (record.kind !== "task") text += `,"kind":"${record.kind}"`
  // As pairs: an object would lose a tag that is called `__proto__`.
  if (hasTags(record)) text += `,"tags":${JSON.stringify(Object.entries(record.tags))}`
  if (record.idempotencyKey !== null) text += `,"key":${JSON.stringify(record.idempotencyKey)}`
  if (record.keyTtl !== null) text += `,"keyTtl":${JSON.stringify(record.keyTtl)}`
  if (record.executor !== "fiber") text += `,"executor":"${record.executor}"`
  if (record.requeueOnInterrupt) text += `,"requeue":true`
  if (record.maxCrashes !== 3) text += `,"maxCrashes":${JSON.stringify(record.maxCrashes)}`
  if (record.runAt !== null) text += `,"runAt":${JSON.stringify(record.runAt)}`
  if (record.retryOf !== null) text += `,"retryOf":"${record.retryOf}"`
  if (record.trace !== null) text += `,"trace":${JSON.stringify(record.trace)}`
  if (record.schedule !== null) text += `,"schedule":${JSON.stringify(record.schedule)}`
  return `${text}}`
}

export const hasTags = ({ tags }: TaskRecord): boolean => {
  for (const _ in tags) return true
  return false
}

/** What its schedule is looked for by; null when none asked for it. */
export const scheduleOf = ({ schedule }: TaskRecord): string | null =>
  schedule === null ? null : scheduleHash(schedule.name)

const joinedMark = ",\"joined\":true}"

/** The facts of a task that was enqueued in a transaction of the application: nobody has told of it yet. */
export const joinedFacts = (facts: string): string => `${facts.slice(0, -1)}${joinedMark}`

export const isJoined = (row: Row): boolean => (row["facts"] as string).endsWith(joinedMark) // safe: a text column

const noTags: TaskRecord["tags"] = {}
const noPairs: ReadonlyArray<readonly [string, string]> = []
/** Of the pairs that a text has. */
export const tagsFrom = (pairs: ReadonlyArray<readonly [string, string]>): TaskRecord["tags"] =>
  pairs.length === 0 ? noTags : Object.fromEntries(pairs)

// Columns of times are whole milliseconds; the record keeps what it was given.
const whole = (at: number | null): number | null => at === null ? null : Math.floor(at)

// Where a row waits: ready for anyone, for its time, or with its owner.
const readyOf = (record: TaskRecord, now: number): number | null => {
  if (record.owner !== null) return null
  const at = dueAt(record)
  return at !== null && at > now ? null : isSuspect(record) ? 2 : 1
}

// Since when it is held, for those that may take it over; nobody else has the code of a one-off effect.
const dueOf = (record: TaskRecord, now: number, heldUntil: number = now): number | null => {
  if (record.owner !== null) return isLive(record) || record.kind === "effect" ? null : heldUntil
  const at = dueAt(record)
  return at !== null && at > now ? at : null
}

// Literals without spreads, here and below: these run several times for each task.

/** The columns of a row that change, for this record at `now`; its log counts are the row's own. */
export const changing = (record: TaskRecord, now: number) => ({
  ready: readyOf(record, now),
  due_at: whole(dueOf(record, now)),
  next_attempt_at: whole(record.nextAttemptAt),
  status: record.status,
  owner: record.owner,
  active: isLive(record) ? 1 : 0,
  claim: record.claim,
  attempts: record.attempts,
  cancel: record.cancelRequested ? 1 : 0,
  suspect: isSuspect(record) ? 1 : 0,
  started_at: whole(record.startedAt),
  attempt_started_at: whole(record.attemptStartedAt),
  instance: record.instance,
  state: stateOf(record)
})

/** The row of a new record. */
export const liveRow = (record: TaskRecord, now: number, heldUntil?: number | undefined): LiveRow => ({
  id: record.taskId,
  task: nameText(record.taskName),
  version: record.definitionVersion,
  priority: record.priority,
  source: record.source,
  created_at: Math.floor(record.createdAt),
  ready: readyOf(record, now),
  due_at: whole(dueOf(record, now, heldUntil)),
  next_attempt_at: whole(record.nextAttemptAt),
  status: record.status,
  owner: record.owner,
  active: isLive(record) ? 1 : 0,
  claim: record.claim,
  attempts: record.attempts,
  cancel: record.cancelRequested ? 1 : 0,
  suspect: isSuspect(record) ? 1 : 0,
  started_at: whole(record.startedAt),
  attempt_started_at: whole(record.attemptStartedAt),
  instance: record.instance,
  log_lines: record.logLines,
  log_bytes: record.logBytes,
  state: stateOf(record),
  facts: factsOf(record),
  schedule: scheduleOf(record)
})

/**
 * The values of the row of a new record in the order of the columns of `live`: `liveValues(liveRow(…))` without the object between,
 * whose names were looked up one by one.
 */
export const freshValues = (record: TaskRecord, now: number, heldUntil?: number | undefined): ReadonlyArray<Value> => [
  record.taskId,
  nameText(record.taskName),
  record.definitionVersion,
  record.priority,
  record.source,
  Math.floor(record.createdAt),
  readyOf(record, now),
  whole(dueOf(record, now, heldUntil)),
  whole(record.nextAttemptAt),
  record.status,
  record.owner,
  isLive(record) ? 1 : 0,
  record.claim,
  record.attempts,
  record.cancelRequested ? 1 : 0,
  isSuspect(record) ? 1 : 0,
  whole(record.startedAt),
  whole(record.attemptStartedAt),
  record.instance,
  record.logLines,
  record.logBytes,
  stateOf(record),
  factsOf(record),
  scheduleOf(record)
]

const number = (value: unknown): number => Number(value)
const numberOrNull = (value: unknown): number | null => value === null ? null : Number(value)

/** The record of a row of `live`. */
export const fromLive = (row: Row): TaskRecord => {
  // safe (all casts here): what liveRow wrote
  const facts = JSON.parse(row["facts"] as string)
  const state = row["state"] === null ? null : JSON.parse(row["state"] as string)
  return {
    taskId: row["id"] as TaskId,
    taskName: facts.name,
    kind: facts.kind ?? "task",
    payload: facts.payload,
    priority: number(row["priority"]),
    tags: tagsFrom(facts.tags ?? noPairs),
    idempotencyKey: facts.key ?? null,
    keyTtl: facts.keyTtl ?? null,
    source: row["source"] as TaskRecord["source"],
    schedule: facts.schedule ?? null,
    executor: facts.executor ?? "fiber",
    requeueOnInterrupt: facts.requeue ?? false,
    maxCrashes: facts.maxCrashes ?? 3,
    definitionVersion: number(row["version"]),
    runAt: facts.runAt ?? null,
    retryOf: facts.retryOf ?? null,
    trace: facts.trace ?? null,
    owner: row["owner"] as InstanceId | null,
    status: row["status"] as TaskRecord["status"],
    createdAt: number(row["created_at"]),
    startedAt: numberOrNull(row["started_at"]),
    instance: row["instance"] as InstanceId | null,
    attemptStartedAt: numberOrNull(row["attempt_started_at"]),
    endedAt: null,
    nextAttemptAt: numberOrNull(row["next_attempt_at"]),
    claim: number(row["claim"]),
    attempts: number(row["attempts"]),
    failures: state?.failures ?? 0,
    crashes: state?.crashes ?? 0,
    cancelRequested: number(row["cancel"]) === 1,
    result: null,
    failure: state?.failure ?? null,
    stopReason: null,
    progress: state?.progress ?? null,
    logLines: number(row["log_lines"]),
    logBytes: number(row["log_bytes"]),
    retriedAs: null
  }
}

/** Which roll-up row the end of a task is counted in, and what it adds: without the minute and the instance. */
export const endOf = (record: TaskRecord): { readonly bucket: number; readonly millis: number | null } => {
  const millis = durationOf(record)
  return millis === null || (record.status !== "success" && record.status !== "failed")
    ? { bucket: -1, millis: null }
    : { bucket: Durations.bucketOf(millis), millis }
}

// What statements alone ask for: a record has the same in other columns. Every value that is read takes its time, in the driver most.
const notRead = new Set(["task", "ready", "due_at", "active", "suspect", "schedule"])

/**
 * The columns of `live` that make a record and its place, by name: a later version may add some, and PostgreSQL refuses what was
 * prepared for other columns.
 */
export const liveNamesInOrder: ReadonlyArray<string> = [
  "seq",
  ...tables.live.columns.map(({ name }) => name).filter((name) => !notRead.has(name))
]
export const liveNames = liveNamesInOrder.join(", ")

const liveColumns = tables.live.columns.map(({ name }) => name as keyof LiveRow) // safe: LiveRow names them

/** The values of a row in the order of the columns of `live`. */
export const liveValues = (row: LiveRow): ReadonlyArray<Value> => liveColumns.map((name) => row[name])

const fixed = new Set(["id", "task", "version", "priority", "source", "created_at", "facts", "schedule"])

/** The columns of `live` that change. */
export const changingColumns: ReadonlyArray<Column> = tables.live.columns.filter(({ name }) => !fixed.has(name))
