/**
 * Failed tasks by the fingerprint of their failure, as rows of `errors`: how ends are counted in the same unit as they are
 * written, and the upserts that do it.
 */
import { fingerprintOf } from "../../internal/fingerprint.js"
import type { TaskRecord } from "../../TaskRecord.js"
import type { Value } from "./dialect.js"
import { nameText } from "./rows.js"
import type { Table } from "./schema.js"
import { memo } from "./statements.js"

/** What a batch adds to a group. */
export interface Failures {
  readonly fingerprint: string
  readonly task: string
  failures: number
  firstAt: number
  lastAt: number
  lastTask: string
  sample: string
}

/** Counts an end, if it is a failure. */
export const countFailure = (groups: Map<string, Failures>, record: TaskRecord): void => {
  const found = fingerprintOf(record)
  if (found === null) return
  const at = record.endedAt!
  const sample = JSON.stringify(found.sample)
  const group = groups.get(found.fingerprint)
  if (group === undefined) {
    const task = nameText(record.taskName)
    groups.set(found.fingerprint, {
      fingerprint: found.fingerprint,
      task,
      failures: 1,
      firstAt: at,
      lastAt: at,
      lastTask: record.taskId,
      sample
    })
    return
  }
  group.failures += 1
  group.firstAt = Math.min(group.firstAt, at)
  if (at < group.lastAt) return
  group.lastAt = at
  group.lastTask = record.taskId
  group.sample = sample
}

const none: ReadonlyMap<string, number> = new Map()

/** Rows of `errors` in the order of their key, so that two writers of the same ones meet in the same order. */
export const failureRows = (
  groups: ReadonlyMap<string, Failures>,
  instance: string,
  dismissed: ReadonlyMap<string, number> = none
): ReadonlyArray<ReadonlyArray<Value>> =>
  [...groups.values()]
    .sort((a, b) => a.fingerprint < b.fingerprint ? -1 : 1)
    .map((of) => [
      of.fingerprint,
      instance,
      of.task,
      of.failures,
      dismissed.get(of.fingerprint) ?? 0,
      of.firstAt,
      of.lastAt,
      of.lastTask,
      of.sample
    ])

/** Behind an INSERT into `errors`, where the row in the way has the table's name and the new one is `excluded`. */
export const countFailuresTail = ({ key, name }: Table): string =>
  memo(`failures ${name}`, () => {
    const later = (column: string) =>
      `${column} = CASE WHEN excluded.last_at >= ${name}.last_at THEN excluded.${column} ELSE ${name}.${column} END`
    return ` ON CONFLICT (${key!.join(", ")}) DO UPDATE SET failures = ${name}.failures + excluded.failures, ` +
      `dismissed = ${name}.dismissed + excluded.dismissed, first_at = CASE WHEN excluded.first_at < ${name}.first_at ` +
      `THEN excluded.first_at ELSE ${name}.first_at END, ${["last_task", "sample", "last_at"].map(later).join(", ")}`
  })

// Assignments are seen by those behind them, so the time that decides comes last. The key is the only unique one of the table.
const laterOnMysql = (column: string) => `${column} = IF(VALUES(last_at) >= last_at, VALUES(${column}), ${column})`

export const mysqlCountFailuresTail =
  " ON DUPLICATE KEY UPDATE failures = failures + VALUES(failures), dismissed = dismissed + VALUES(dismissed), " +
  `first_at = LEAST(first_at, VALUES(first_at)), ${["last_task", "sample", "last_at"].map(laterOnMysql).join(", ")}`
