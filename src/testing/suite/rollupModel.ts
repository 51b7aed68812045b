/** What `rollups` must answer, said as simply as possible: from every record that ever ended. */
import { bucketOf } from "../../internal/durations.js"
import type { TaskRecord } from "../../TaskRecord.js"
import type { Distribution, Rollup, RollupQuery } from "../../TaskRollup.js"
import type { Terminal } from "../../TaskStatus.js"

/** A record as it ended, and when it was written so. */
export interface End {
  readonly at: number
  readonly record: TaskRecord
}

export const distributionOf = (millis: ReadonlyArray<number>): Distribution => {
  const buckets = new Map<number, number>()
  for (const one of millis) buckets.set(bucketOf(one), (buckets.get(bucketOf(one)) ?? 0) + 1)
  return {
    count: millis.length,
    sum: millis.reduce((sum, one) => sum + one, 0),
    min: millis.length === 0 ? null : Math.min(...millis),
    max: millis.length === 0 ? null : Math.max(...millis),
    buckets
  }
}

const waited = ({ createdAt, runAt, startedAt }: TaskRecord) => startedAt! - Math.max(createdAt, runAt ?? createdAt)

const of = (at: number, taskName: string | null, records: ReadonlyArray<TaskRecord>): Rollup => {
  const many = (status: Terminal) => records.filter((one) => one.status === status).length
  const took = records.filter(({ startedAt, status }) =>
    startedAt !== null && (status === "success" || status === "failed")
  )
  const started = records.filter(({ startedAt }) => startedAt !== null)
  return {
    at,
    taskName,
    ends: {
      success: many("success"),
      failed: many("failed"),
      interrupted: many("interrupted"),
      cancelled: many("cancelled")
    },
    durations: distributionOf(took.map(({ endedAt, startedAt }) => endedAt! - startedAt!)),
    waits: distributionOf(started.map(waited))
  }
}

/** Of ends that are known by the minute still; `since`, `until` and `width` are sound. */
export const rollupsOf = (ends: ReadonlyArray<End>, query: RollupQuery): ReadonlyArray<Rollup> => {
  const slot = (at: number) => query.width === Number.POSITIVE_INFINITY ? 0 : Math.floor(at / query.width) * query.width
  const asked = ends.filter(({ at, record }) =>
    slot(at) >= slot(query.since) && slot(at) < query.until &&
    (query.taskName === undefined || query.taskName === record.taskName) &&
    (query.taskNames === undefined || query.taskNames.includes(record.taskName))
  )
  const slots = [...new Set(asked.map(({ at }) => slot(at)))].sort((a, b) => a - b)
  return slots.flatMap((at) => {
    const inSlot = asked.filter((one) => slot(one.at) === at).map(({ record }) => record)
    if (query.byTask !== true) return [of(at, null, inSlot)]
    const names = [...new Set(inSlot.map(({ taskName }) => taskName))].sort()
    return names.map((name) => of(at, name, inSlot.filter(({ taskName }) => taskName === name)))
  })
}
