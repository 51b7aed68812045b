/**
 * The tables of MemoryBackend: rows and the indexes over them, kept consistent by five moves. Plain data, no effects.
 *
 * `live` holds unfinished tasks, `done` finished ones in the order they ended, never more than `maxRecords`.
 */
import TinyQueue from "tinyqueue"
import { ChurnMap } from "../internal/churnMap.js"
import * as Counting from "../internal/counting.js"
import * as Durations from "../internal/durations.js"
import * as PriorityFifo from "../internal/priorityFifo.js"
import * as SortedIds from "../internal/sortedIds.js"
import type { AttemptEntry, Stats } from "../TaskBackend.js"
import type { InstanceId, LogLine } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"
import { dueAt, durationOf, type TaskRecord } from "../TaskRecord.js"
import * as TaskStatus from "../TaskStatus.js"
import * as Errors from "./memoryErrors.js"
import * as Holdings from "./memoryHoldings.js"
import * as Rollups from "./memoryRollups.js"

export interface LiveRow {
  record: TaskRecord
  readonly sequence: number
  /** Takes the row out of the ready index; null while it is not in it. */
  unready: (() => boolean) | null
  /** In whose holding the row is, and where there: see `Bag`. */
  holder: InstanceId | null
  readonly places: Holdings.Places
  /** Since when it has been held under which claim: epoch milliseconds. */
  heldSince: number
  heldClaim: number
}

/** Ready rows of one name, of one version of its definition, either the suspects or the others. */
interface Ready {
  readonly version: number
  readonly suspects: boolean
  readonly fifo: PriorityFifo.PriorityFifo<LiveRow>
}

export type Tables = ReturnType<typeof make>

interface Held {
  readonly taskId: TaskId
  /** Epoch milliseconds, or null for as long as the record is kept. */
  readonly until: number | null
}

interface NameStats {
  readonly counts: { [Status in TaskStatus.TaskStatus]: number }
  readonly buckets: Map<number, number>
  count: number
  sum: number
  min: number | null
  max: number | null
}

const emptyNameStats = (): NameStats => ({
  counts: { pending: 0, running: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 },
  buckets: new Map(),
  count: 0,
  sum: 0,
  min: null,
  max: null
})

interface Due {
  readonly at: number
  readonly row: LiveRow
}

const sooner = (a: Due, b: Due): number => a.at - b.at

// A task may snooze or be requeued without end.
const maxAttempts = 1_000

const keyOf = (record: TaskRecord): string => `${record.taskName}\u0000${record.idempotencyKey}`

export const make = (maxRecords: number) => {
  const live = new ChurnMap<TaskId, LiveRow>()
  const done = new Map<TaskId, TaskRecord>()
  let ended: Array<TaskId> = []
  let firstEnded = 0
  const ids = SortedIds.make<TaskId>()
  const keys = new Map<string, Held>()
  const logs = new Map<TaskId, Array<LogLine>>()
  const attempts = new Map<TaskId, Array<AttemptEntry>>()
  const ready = new Map<string, Array<Ready>>()
  const holdings = Holdings.make()
  const errors = Errors.make()
  const rollups = Rollups.make()
  let due = new TinyQueue<Due>([], sooner)
  const statsByName = new Map<string, NameStats>()
  let arrivals = 0

  const statsOf = (name: string): NameStats => {
    let stats = statsByName.get(name)
    if (stats === undefined) statsByName.set(name, stats = emptyNameStats())
    return stats
  }

  // Counts a finished duration in (1) or out (-1). Min and max go back only when none is left.
  const countDuration = (record: TaskRecord, by: 1 | -1): void => {
    const millis = durationOf(record)
    if (millis === null || (record.status !== "success" && record.status !== "failed")) return
    const stats = statsOf(record.taskName)
    const bucket = Durations.bucketOf(millis)
    const count = (stats.buckets.get(bucket) ?? 0) + by
    if (count === 0) stats.buckets.delete(bucket)
    else stats.buckets.set(bucket, count)
    stats.count += by
    stats.sum += by * millis
    if (by === 1) {
      stats.min = Math.min(stats.min ?? millis, millis)
      stats.max = Math.max(stats.max ?? millis, millis)
    } else if (stats.count === 0) {
      stats.min = null
      stats.max = null
    }
  }

  const readyOf = (name: string, version: number, suspects: boolean): PriorityFifo.PriorityFifo<LiveRow> => {
    let all = ready.get(name)
    if (all === undefined) ready.set(name, all = [])
    let found = all.find((one) => one.version === version && one.suspects === suspects)
    if (found === undefined) all.push(found = { version, suspects, fifo: PriorityFifo.make() })
    return found.fifo
  }

  // Ready, waiting for its time, or held by its owner.
  const index = (row: LiveRow, now: number): void => {
    if (row.unready !== null) {
      row.unready()
      row.unready = null
    }
    holdings.move(row, now)
    const { definitionVersion, owner, priority, taskName } = row.record
    if (owner !== null) return
    const at = dueAt(row.record)
    if (at !== null && at > now) {
      due.push({ at, row })
      // Cancelled rows would stay until they had been due.
      if (due.length > 2 * live.size + 64) due = new TinyQueue(due.data.filter(isStillDue), sooner)
      return
    }
    row.unready = readyOf(taskName, definitionVersion, Holdings.isSuspect(row.record)).add(priority, row.sequence, row)
  }

  const isStillDue = (entry: Due): boolean =>
    live.get(entry.row.record.taskId) === entry.row && entry.row.record.owner === null && entry.row.unready === null &&
    dueAt(entry.row.record) === entry.at

  const forget = (record: TaskRecord): void => {
    done.delete(record.taskId)
    ids.remove(record.taskId)
    if (logs.size > 0) logs.delete(record.taskId)
    if (attempts.size > 0) attempts.delete(record.taskId)
    if (record.idempotencyKey !== null && keys.get(keyOf(record))?.taskId === record.taskId) keys.delete(keyOf(record))
    statsOf(record.taskName).counts[record.status] -= 1
    countDuration(record, -1)
  }

  // In an array of their own: the first key of a Map that lost its first ones is found by stepping over all of those.
  const forgetOldest = (): void => {
    const oldest = done.get(ended[firstEnded]!)
    firstEnded += 1
    if (oldest !== undefined) forget(oldest)
  }

  // What was deleted otherwise stays in `ended` until half of it is of the past.
  const rememberEnded = (taskId: TaskId): void => {
    ended.push(taskId)
    if (ended.length <= 2 * done.size + 64) return
    ended = ended.slice(firstEnded).filter((id) => done.has(id))
    firstEnded = 0
  }

  return {
    live,
    done,
    ids,
    logs,
    attempts,
    ready,
    holdings,
    errors,
    rollups,

    /** The task that holds the record's key now, or undefined. */
    holderOf: (record: TaskRecord, now: number): TaskId | undefined => {
      if (record.idempotencyKey === null) return undefined
      const held = keys.get(keyOf(record))
      return held !== undefined && (held.until === null || held.until > now) ? held.taskId : undefined
    },

    insert: (record: TaskRecord, now: number, heldUntil: number = now): void => {
      arrivals += 1
      const row: LiveRow = {
        record,
        sequence: arrivals,
        unready: null,
        holder: null,
        places: { rows: -1, window: -1 },
        heldSince: heldUntil,
        heldClaim: record.claim
      }
      live.set(record.taskId, row)
      ids.add(record.taskId)
      if (record.idempotencyKey !== null) keys.set(keyOf(record), { taskId: record.taskId, until: null })
      statsOf(record.taskName).counts[record.status] += 1
      index(row, now)
    },

    /** Replaces an unfinished record. */
    update: (row: LiveRow, record: TaskRecord, now: number): void => {
      const { counts } = statsOf(record.taskName)
      counts[row.record.status] -= 1
      counts[record.status] += 1
      row.record = record
      index(row, now)
    },

    finish: (row: LiveRow, record: TaskRecord, now: number): void => {
      row.unready?.()
      holdings.leave(row)
      live.delete(record.taskId)
      done.set(record.taskId, record)
      const { counts } = statsOf(record.taskName)
      counts[row.record.status] -= 1
      counts[record.status] += 1
      countDuration(record, 1)
      errors.count(record)
      rollups.count(record, now)
      if (record.idempotencyKey !== null) {
        if (record.status !== "success") keys.delete(keyOf(record))
        else if (record.keyTtl !== null) {
          keys.set(keyOf(record), { taskId: record.taskId, until: record.endedAt! + record.keyTtl })
        }
      }
      rememberEnded(record.taskId)
      while (done.size > maxRecords) forgetOldest()
    },

    forget,

    addLog: (taskId: TaskId, line: LogLine): void => {
      const lines = logs.get(taskId)
      if (lines === undefined) logs.set(taskId, [line])
      else lines.push(line)
    },

    addAttempt: (taskId: TaskId, entry: AttemptEntry): void => {
      const entries = attempts.get(taskId)
      if (entries === undefined) return void attempts.set(taskId, [entry])
      entries.push(entry)
      if (entries.length > maxAttempts) entries.shift()
    },

    /** Moves what is due into the ready index; answers when the next is due. */
    promote: (now: number): number | null => {
      for (let entry = due.peek(); entry !== undefined; entry = due.peek()) {
        if (isStillDue(entry)) {
          if (entry.at > now) return entry.at
          due.pop()
          index(entry.row, now)
        } else due.pop()
      }
      return null
    },

    unfinished: () =>
      Counting.byName([...statsByName].map(([taskName, { counts: { pending, running } }]) => ({
        taskName,
        pending,
        running
      }))),

    stats: (taskName: string | undefined): Stats => {
      const total = emptyNameStats()
      for (const [name, stats] of statsByName) {
        if (taskName !== undefined && taskName !== name) continue
        for (const status of TaskStatus.all) total.counts[status] += stats.counts[status]
        for (const [bucket, count] of stats.buckets) total.buckets.set(bucket, (total.buckets.get(bucket) ?? 0) + count)
        total.count += stats.count
        total.sum += stats.sum
        if (stats.min !== null) total.min = Math.min(total.min ?? stats.min, stats.min)
        if (stats.max !== null) total.max = Math.max(total.max ?? stats.max, stats.max)
      }
      const { buckets, count, counts, max, min, sum } = total
      const at = (share: number) => {
        const estimate = Durations.percentile(buckets, share)
        return estimate === null || min === null || max === null ? null : Math.min(max, Math.max(min, estimate))
      }
      return { counts, durations: { count, sum, min, max, p50: at(0.5), p95: at(0.95), p99: at(0.99) } }
    }
  }
}
