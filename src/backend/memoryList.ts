/** Records of the memory backend by what is asked of them: pages, and what is old enough to go. */
import * as Counting from "../internal/counting.js"
import { fingerprintOf } from "../internal/fingerprint.js"
import { askable, howMany } from "../internal/listing.js"
import type { Counted, CountQuery, ListPage, ListQuery } from "../TaskBackend.js"
import type { TaskId } from "../TaskId.js"
import type * as TaskRecord from "../TaskRecord.js"
import { isWaiting } from "../TaskRecord.js"
import type { TaskStatus, Terminal } from "../TaskStatus.js"
import type { Tables } from "./memoryTables.js"

const matches = (query: ListQuery) => (record: TaskRecord.TaskRecord): boolean =>
  (query.status === undefined || query.status.includes(record.status)) &&
  (query.taskName === undefined || query.taskName === record.taskName) &&
  (query.tag === undefined || record.tags[query.tag[0]] === query.tag[1]) &&
  (query.source === undefined || query.source === record.source) &&
  (query.priority === undefined || query.priority === record.priority) &&
  (query.since === undefined || record.createdAt >= query.since) &&
  (query.until === undefined || record.createdAt < query.until) &&
  (query.schedule === undefined || record.schedule?.name === query.schedule) &&
  (query.errorGroup === undefined || fingerprintOf(record)?.fingerprint === query.errorGroup)

// A success that goes before its `keyTtl` ran out would free its key early.
const holdsKeyAt = (record: TaskRecord.TaskRecord, at: number): boolean =>
  record.status === "success" && record.idempotencyKey !== null && record.keyTtl !== null &&
  record.endedAt! + record.keyTtl > at

/** One page. */
export const list = (tables: Tables, asked: ListQuery): ListPage => {
  const query = askable(asked)
  if (query === null) return { items: [], nextCursor: null }
  const limit = howMany(query.limit, 1, 200, 50)
  const fits = matches(query)
  const items: Array<TaskRecord.TaskRecord> = []
  let last: TaskId | null = null
  for (const taskId of tables.ids.from(query.cursor, query.order === "oldest" ? "ascending" : "descending")) {
    const record = tables.live.get(taskId)?.record ?? tables.done.get(taskId)
    if (record === undefined || !fits(record)) continue
    if (items.length === limit) return { items, nextCursor: last }
    items.push(record)
    last = taskId
  }
  return { items, nextCursor: null }
}

/** How many fit, by status. */
export const count = (tables: Tables, asked: CountQuery, limit: number): Counted => {
  const query = askable(asked)
  if (query === null) return Counting.noCounts
  const fits = matches(query)
  const found = new Map<TaskStatus, number>()
  let retrying = 0
  const look = (record: TaskRecord.TaskRecord): void => {
    if (!fits(record)) return
    found.set(record.status, (found.get(record.status) ?? 0) + 1)
    if (isWaiting(record)) retrying += 1
  }
  for (const { record } of tables.live.values()) look(record)
  for (const record of tables.done.values()) look(record)
  return Counting.counted(found, Counting.countedTo(limit), new Set(), retrying)
}

/** How many of them would be removed, up to a bound. */
export const countBefore = (tables: Tables, cutoff: number, most: number): number => {
  let found = 0
  for (const record of tables.done.values()) {
    if (found >= most) break
    if (record.endedAt! < cutoff && !holdsKeyAt(record, cutoff)) found += 1
  }
  return found
}

/** Removes finished records, as the port says; answers how many. */
export const deleteBefore = (
  tables: Tables,
  cutoff: number,
  limit: number,
  status: ReadonlyArray<Terminal> | undefined
): number => {
  let deleted = 0
  for (const record of tables.done.values()) {
    if (deleted >= limit) break
    // Records end in the order of `done` only as far as clocks agree, so every one is looked at.
    const asked = status === undefined || status.some((one) => one === record.status)
    if (asked && record.endedAt! < cutoff && !holdsKeyAt(record, cutoff)) {
      tables.forget(record)
      deleted += 1
    }
  }
  return deleted
}
