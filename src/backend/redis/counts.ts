/**
 * How many tasks fit. Where one index for each status has exactly what is asked for, Redis says how many entries a range of it
 * has; else tasks are looked at, a thousand in each script, and no more than the port says.
 */
import * as Effect from "effect/Effect"
import * as Counting from "../../internal/counting.js"
import { idFrom } from "../../internal/idTimes.js"
import { askable } from "../../internal/listing.js"
import type { TaskBackendError } from "../../TaskError.js"
import type { Counted, CountQuery, Unfinished } from "../../TaskQuery.js"
import { isTerminal, type TaskStatus } from "../../TaskStatus.js"
import { fitting } from "./luaFitting.js"
import { reading } from "./luaRows.js"
import { exactOf, indexesOf } from "./reads.js"
import * as Rows from "./rows.js"
import { type Ask, asList, asText, asTexts, define } from "./script.js"

const scanned = 1_000

interface Ids {
  readonly from: string
  readonly to: string
}

// Null when no id is that late.
const idsOf = ({ since, until }: CountQuery): Ids | null => {
  const first = since === undefined ? null : idFrom(since)
  const end = until === undefined ? null : idFrom(until)
  if (since !== undefined && first === null) return null
  return { from: first === null ? "-" : `[${first}`, to: end === null ? "+" : `(${end}` }
}

/** How many ids are in each of these ranges. */
const sizes = define<Ids & { readonly indexes: ReadonlyArray<string> }, ReadonlyArray<number>>({
  name: "count",
  lua: [
    reading,
    `
local answers = {}
for index = 3, #ARGV do answers[index - 2] = text(call('ZLEXCOUNT', root .. ARGV[index], ARGV[1], ARGV[2])) end
return answers
`
  ],
  args: ({ from, indexes, to }) => [from, to, ...indexes],
  answer: (reply) => asTexts(reply).map(Number)
})

/** How many of one name wait and run, as they are counted with each change. */
const ofName = define<string, readonly [pending: number, running: number]>({
  name: "count",
  lua: [
    reading,
    `
local found = call('HMGET', root .. 'st:' .. ARGV[1], 'pending', 'running')
return { found[1] or '0', found[2] or '0' }
`
  ],
  args: (taskName) => [Rows.nameText(taskName)],
  answer: (reply) => {
    const [pending, running] = asTexts(reply)
    return [Number(pending), Number(running)]
  }
})

interface Looked {
  readonly found: ReadonlyMap<TaskStatus, number>
  readonly looked: number
  readonly last: string | null
}

/** Looks at the next tasks of an index. */
const look = define<Ids & { readonly query: CountQuery; readonly index: string }, Looked>({
  name: "count",
  lua: [
    reading,
    fitting,
    `
local from, to, index, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local fits = fitting(5, 11, #ARGV)
local ids = call('ZRANGEBYLEX', root .. index, from, to, 'LIMIT', 0, most)
local counts, answers = {}, {}
for _, id in ipairs(ids) do
  local found = call('HMGET', root .. 't:' .. id, 'h', 'm')
  local r = found[1] and found[2] and parse(id, found[1])
  if r and fits(r, parseMeta(found[2])) then counts[r.status] = (counts[r.status] or 0) + 1 end
end
for status, many in pairs(counts) do
  answers[#answers + 1] = status
  answers[#answers + 1] = text(many)
end
return { answers, text(#ids), #ids == most and ids[#ids] or '' }
`
  ],
  args: ({ from, index, query, to }) => {
    const { priority, source, status, taskName } = query
    return [
      from,
      to,
      index,
      String(scanned),
      status === undefined ? "" : ` ${status.join(" ")} `,
      taskName === undefined ? "" : Rows.nameText(taskName),
      source ?? "",
      priority === undefined ? "" : String(priority),
      // By id is what the range does.
      "",
      "",
      ...exactOf(query).slice(1)
    ]
  },
  answer: (reply) => {
    const [counts, looked, last] = asList(reply)
    const texts = asTexts(counts!)
    const found = new Map<TaskStatus, number>()
    for (let at = 0; at < texts.length; at += 2) found.set(texts[at] as TaskStatus, Number(texts[at + 1])) // safe: stored words
    return { found, looked: Number(asText(looked!)), last: last === "" ? null : asText(last!) }
  }
})

const isByIndex = ({ errorGroup, priority, schedule, source, tag }: CountQuery): boolean =>
  errorGroup === undefined && priority === undefined && schedule === undefined && source === undefined &&
  tag === undefined

/** `count` of the port. */
export const count = (ask: Ask) => (asked: CountQuery, limit: number): Effect.Effect<Counted, TaskBackendError> =>
  Effect.gen(function*() {
    const most = Counting.countedTo(limit)
    const query = askable(asked)
    const ids = query === null ? null : idsOf(query)
    if (query === null || ids === null) return Counting.noCounts
    const { since, taskName, until } = query
    const statuses = Counting.askedOf(query.status)
    const found = new Map<TaskStatus, number>()
    const stopped = new Set<TaskStatus>()
    const add = (status: TaskStatus, many: number) => found.set(status, (found.get(status) ?? 0) + many)

    const walk = (index: string, own: ReadonlyArray<TaskStatus>) =>
      Effect.gen(function*() {
        let looked = 0
        let from = ids.from
        while (true) {
          const one: Looked = yield* ask(look, { ...ids, from, index, query: { ...query, status: own } })
          for (const [status, many] of one.found) add(status, many)
          looked += one.looked
          if (one.last === null) return
          if (looked >= Counting.lookedAt(most)) {
            for (const status of own) stopped.add(status)
            return
          }
          from = `(${one.last}`
        }
      })

    if (!isByIndex(query)) {
      const indexes = indexesOf({ ...query, status: statuses })
      // One index has all of them, or there is one for each status.
      for (const [at, index] of indexes.entries()) {
        yield* walk(index, indexes.length === statuses.length && /^[ns]:/.test(index) ? [statuses[at]!] : statuses)
      }
      return Counting.counted(found, most, stopped)
    }
    const unended = statuses.filter((status) => !isTerminal(status))
    // There is no index of unfinished tasks by name, but they are counted.
    if (taskName !== undefined && unended.length > 0) {
      if (since === undefined && until === undefined) {
        const [pending, running] = yield* ask(ofName, taskName)
        for (const status of unended) add(status, status === "pending" ? pending : running)
      } else for (const status of unended) yield* walk(`s:${status}`, [status])
    }
    const indexed = taskName === undefined ? statuses : statuses.filter((status) => isTerminal(status))
    const many = yield* ask(sizes, { ...ids, indexes: indexesOf({ taskName, status: indexed }) })
    for (const [at, status] of indexed.entries()) add(status, many[at] ?? 0)
    return Counting.counted(found, most, stopped)
  })

/** `unfinished` of the port: as they are counted with each change. */
export const unfinished = define<null, Unfinished>({
  name: "unfinished",
  lua: [
    reading,
    `
local answers = {}
for _, name in ipairs(call('SMEMBERS', root .. 'names')) do
  local found = call('HMGET', root .. 'st:' .. name, 'pending', 'running')
  if (found[1] or '0') ~= '0' or (found[2] or '0') ~= '0' then
    for _, one in ipairs({ name, found[1] or '0', found[2] or '0' }) do answers[#answers + 1] = one end
  end
end
return answers
`
  ],
  args: () => [],
  answer: (reply) => {
    const texts = asTexts(reply)
    const tasks: Array<Unfinished["tasks"][number]> = []
    for (let at = 0; at < texts.length; at += 3) {
      tasks.push({
        taskName: Rows.nameFrom(texts[at]!),
        pending: Number(texts[at + 1]),
        running: Number(texts[at + 2])
      })
    }
    return Counting.byName(tasks)
  }
})
