/**
 * What can be asked: one record, pages of them, lines, attempts, counts. Every page is a range of an index of ids.
 */
import * as Durations from "../../internal/durations.js"
import { clockSlack, idFrom } from "../../internal/idTimes.js"
import type { ListQuery, Stats } from "../../TaskBackend.js"
import type { TaskId } from "../../TaskId.js"
import type { TaskRecord } from "../../TaskRecord.js"
import * as TaskStatus from "../../TaskStatus.js"
import { fitting } from "./luaFitting.js"
import { reading } from "./luaRows.js"
import * as Rows from "./rows.js"
import { asList, asText, asTexts, define } from "./script.js"

// Rows of an index that one script looks at, and that it answers.
const scanned = 1_000
const answered = 50

/** Part of a page: what matches among the next rows of these indexes, behind `after`. */
export interface PageRequest {
  readonly query: ListQuery
  readonly indexes: ReadonlyArray<string>
  readonly after: TaskId | null
  readonly most: number
}

/** `last`: how far it came, null when there is nothing behind. */
export interface PagePart {
  readonly items: ReadonlyArray<TaskRecord>
  readonly last: TaskId | null
}

// Indexes that a task must be in, whatever else is asked for; the smallest first, as far as one can tell.
export const exactOf = ({ errorGroup, schedule, tag }: ListQuery): ReadonlyArray<string> => [
  ...errorGroup === undefined ? [] : [Rows.errorIndex(errorGroup)],
  ...schedule === undefined ? [] : [Rows.scheduleIndex(schedule)],
  ...tag === undefined ? [] : [Rows.tagIndex(tag[0], tag[1])]
]

/** The indexes that a query is a range of. Several are merged; none has a task of another. */
export const indexesOf = (query: ListQuery): ReadonlyArray<string> => {
  const { priority, source, status, taskName } = query
  if (status?.length === 0) return []
  const [exact] = exactOf(query)
  if (exact !== undefined) return [exact]
  const rare = (priority === undefined ? null : Rows.rareIndex.priority(priority)) ??
    (source === undefined ? null : Rows.rareIndex.source(source))
  if (rare !== null) return [rare]
  return (status === undefined ? TaskStatus.all : [...new Set(status)]).map((one) =>
    taskName === undefined || !TaskStatus.isTerminal(one) ? `s:${one}` : `n:${one}:${Rows.nameText(taskName)}`
  )
}

const paging = `
local forward, from, to, budget, most = ARGV[1] == 'oldest', ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local ids, cut = {}, false
local exact = tonumber(ARGV[12])
local fits = fitting(6, 13, 12 + exact)
for index = 13 + exact, #ARGV do
  local found = forward and call('ZRANGEBYLEX', root .. ARGV[index], from, to, 'LIMIT', 0, budget)
    or call('ZREVRANGEBYLEX', root .. ARGV[index], to, from, 'LIMIT', 0, budget)
  if #found == budget then cut = true end
  for _, id in ipairs(found) do ids[#ids + 1] = id end
end
table.sort(ids, function(a, b)
  if forward then return a < b end
  return a > b
end)

local answers, taken, last = {}, 0, ''
for index, id in ipairs(ids) do
  -- Behind the budget other indexes may have rows that were not read.
  if index > budget or taken == most then return { answers, last } end
  last = id
  local found = call('HMGET', root .. 't:' .. id, 'h', 'm')
  if found[1] and found[2] and fits(parse(id, found[1]), parseMeta(found[2])) then
    taken = taken + 1
    local more = call('HMGET', root .. 't:' .. id, 'f', 'e', 'p', 'r')
    for _, one in ipairs({ id, found[1], found[2], more[1], more[2] or '', more[3] or '', more[4] or '' }) do
      answers[#answers + 1] = one
    end
  end
end
return { answers, cut and last or '' }
`

export const page = define<PageRequest, PagePart>({
  name: "page",
  lua: [reading, fitting, paging],
  args: ({ after, indexes, most, query }) => {
    const { order, priority, since, source, status, taskName, until } = query
    const exact = exactOf(query).slice(1)
    const forward = order === "oldest"
    const first = since === undefined ? null : idFrom(since)
    const end = until === undefined ? null : idFrom(until + clockSlack)
    let from = first === null ? "-" : `[${first}`
    let to = end === null ? "+" : `(${end}`
    // A cursor is within these bounds, or behind them, where nothing is.
    if (after !== null && forward && (from === "-" || `[${after}` >= from)) from = `(${after}`
    if (after !== null && !forward && (to === "+" || `(${after}` < to)) to = `(${after}`
    return [
      forward ? "oldest" : "newest",
      from,
      to,
      String(scanned),
      String(Math.min(answered, most)),
      status === undefined ? "" : ` ${status.join(" ")} `,
      taskName === undefined ? "" : Rows.nameText(taskName),
      source ?? "",
      priority === undefined ? "" : String(priority),
      since === undefined ? "" : String(since),
      until === undefined ? "" : String(until),
      String(exact.length),
      ...exact,
      ...indexes
    ]
  },
  answer: (reply) => {
    const [rows, last] = asList(reply)
    // safe: an id that was stored as one
    return { items: Rows.fromRows(asList(rows!)), last: last === "" ? null : asText(last!) as TaskId }
  }
})

interface Tally {
  readonly counts: { [Status in TaskStatus.TaskStatus]: number }
  readonly buckets: Map<number, number>
  count: number
  sum: number
  min: number | null
  max: number | null
}

// Adds the fields of one name: counts by status, `b` and a bucket, and `n sum min max`.
const addFields = (tally: Tally, flat: ReadonlyArray<string>): void => {
  for (let at = 0; at < flat.length; at += 2) {
    const field = flat[at]!
    const value = Number(flat[at + 1])
    if (field in tally.counts) tally.counts[field as TaskStatus.TaskStatus] += value // safe: just asked
    else if (field === "n") tally.count += value
    else if (field === "sum") tally.sum += value
    else if (field === "min") tally.min = Math.min(tally.min ?? value, value)
    else if (field === "max") tally.max = Math.max(tally.max ?? value, value)
    else {
      const bucket = Number(field.slice(1))
      tally.buckets.set(bucket, (tally.buckets.get(bucket) ?? 0) + value)
    }
  }
}

/** Of one name, or of all. */
export const stats = define<string | undefined, Stats>({
  name: "stats",
  lua: [
    reading,
    `
if ARGV[1] then return { call('HGETALL', root .. 'st:' .. ARGV[1]) } end
local answers = {}
for _, name in ipairs(call('SMEMBERS', root .. 'names')) do answers[#answers + 1] = call('HGETALL', root .. 'st:' .. name) end
return answers
`
  ],
  args: (taskName) => taskName === undefined ? [] : [Rows.nameText(taskName)],
  answer: (reply) => {
    const counts = { pending: 0, running: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 }
    const tally: Tally = { counts, buckets: new Map(), count: 0, sum: 0, min: null, max: null }
    for (const flat of asList(reply)) addFields(tally, asTexts(flat))
    const { buckets, count, max, min, sum } = tally
    const at = (share: number) => {
      const estimate = Durations.percentile(buckets, share)
      return estimate === null || min === null || max === null ? null : Math.min(max, Math.max(min, estimate))
    }
    return { counts, durations: { count, sum, min, max, p50: at(0.5), p95: at(0.95), p99: at(0.99) } }
  }
})
