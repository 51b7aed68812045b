/**
 * Ends as rows of `rollups`: what a unit that ends tasks adds to them, a row for each name, status and bucket, however many
 * tasks it ends.
 */
import * as Durations from "../../internal/durations.js"
import { type TaskRecord, waitOf } from "../../TaskRecord.js"
import type { Value } from "./dialect.js"
import { endOf, nameText } from "./rows.js"

export interface Rollup {
  readonly task: string
  readonly status: string
  readonly bucket: number
  ends: number
  total: number
  least: number | null
  most: number | null
}

type Rollups = Map<string, Rollup>

/** The status of the rows of `rollups` that count how long tasks waited for their first start. */
export const waited = "wait"

const countIn = (
  rollups: Rollups,
  taskName: string,
  status: string,
  bucket: number,
  millis: number | null
): void => {
  const key = `${status} ${bucket} ${taskName}`
  let rollup = rollups.get(key)
  if (rollup === undefined) {
    const task = nameText(taskName)
    rollups.set(key, rollup = { task, status, bucket, ends: 0, total: 0, least: null, most: null })
  }
  rollup.ends += 1
  if (millis === null) return
  const whole = Math.floor(millis)
  rollup.total += whole
  rollup.least = Math.min(rollup.least ?? whole, whole)
  rollup.most = Math.max(rollup.most ?? whole, whole)
}

/** Counts an end, and how long its task had waited. */
export const countEnd = (rollups: Rollups, record: TaskRecord): void => {
  const { bucket, millis } = endOf(record)
  countIn(rollups, record.taskName, record.status, bucket, millis)
  const wait = waitOf(record)
  if (wait !== null) countIn(rollups, record.taskName, waited, Durations.bucketOf(wait), wait)
}

/** Rows of `rollups` in the order of their key, so that two writers of the same ones meet in the same order. */
export const byKey = (a: ReadonlyArray<Value>, b: ReadonlyArray<Value>): number => {
  for (let index = 0; index < 5; index += 1) if (a[index] !== b[index]) return a[index]! < b[index]! ? -1 : 1
  return 0
}

/** The rows of `rollups` that count these ends. */
export const rollupRows = (
  rollups: Rollups,
  now: number,
  instance: string
): ReadonlyArray<ReadonlyArray<Value>> =>
  [...rollups.values()].map(({ bucket, ends, least, most, status, task, total }) => [
    Math.floor(now / 60_000),
    task,
    instance,
    status,
    bucket,
    ends,
    total,
    least,
    most
  ]).sort(byKey)
