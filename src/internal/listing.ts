/**
 * What a backend is asked, in numbers every backend can compare: the same odd question has the same answer everywhere. Pure.
 */
import type { ListQuery } from "../TaskBackend.js"
import { isTaskId } from "../TaskId.js"
import { isPlain } from "./pageCursor.js"

/** How many: a whole number from `least` to `most`; `usual` for what is no number. */
export const howMany = (asked: number | undefined, least: number, most: number, usual: number): number =>
  asked === undefined || Number.isNaN(asked) ? usual : Math.min(most, Math.max(least, Math.floor(asked)))

// Times are whole milliseconds. Before or at 1.5 is before or at 2, as far as they are concerned.
const farthest = Number.MAX_SAFE_INTEGER

/** The first whole millisecond that is not before this; null for what is no number. */
export const wholeTime = (at: number): number | null =>
  Number.isNaN(at) ? null : Math.min(farthest, Math.max(-farthest, Math.ceil(at)))

const isPriority = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 31

/** The same question, or null when no task fits: its cursor is no id, its priority no priority, its time no number, its group no fingerprint. */
export const askable = (query: ListQuery): ListQuery | null => {
  const { cursor, errorGroup, priority } = query
  if (cursor !== undefined && !isTaskId(cursor)) return null
  if (priority !== undefined && !isPriority(priority)) return null
  if (errorGroup !== undefined && !isPlain(errorGroup)) return null
  const since = query.since === undefined ? undefined : wholeTime(query.since)
  const until = query.until === undefined ? undefined : wholeTime(query.until)
  return since === null || until === null ? null : { ...query, since, until }
}
