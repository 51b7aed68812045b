/** Groups of failures: listed in the order of one of their two indexes, looked at, dismissed, forgotten. */
import * as Effect from "effect/Effect"
import { type ErrorGroup, type ErrorPage, type ErrorQuery, errorsKept, type ErrorStore } from "../../ErrorStore.js"
import { pageLimit } from "../../internal/pageLimit.js"
import type { TaskBackendError } from "../../TaskError.js"
import type { TaskId } from "../../TaskId.js"
import { ordering } from "./luaErrors.js"
import { reading } from "./luaRows.js"
import * as Rows from "./rows.js"
import { type Ask, asList, asText, asTexts, define, type Reply } from "./script.js"

// Groups that one script looks at.
const scanned = 500

const fields = ["name", "n", "dis", "first", "last", "task", "sample"] as const

const groupFrom = (fingerprint: string, texts: ReadonlyArray<Reply>): ErrorGroup => {
  const [name, count, dismissed, first, last, task, sample] = texts
  // safe (all casts): what the counting wrote
  return {
    fingerprint,
    taskName: Rows.nameFrom(name as string),
    count: Number(count),
    dismissed: Number(dismissed ?? 0),
    firstSeenAt: Number(first),
    lastSeenAt: Number(last),
    lastTask: task as TaskId,
    sample: JSON.parse(sample as string)
  }
}

interface PartRequest {
  readonly query: ErrorQuery
  readonly behind: string
  readonly most: number
}

interface Part {
  readonly groups: ReadonlyArray<{ readonly place: string; readonly group: ErrorGroup }>
  /** How far it came; null when there is nothing behind. */
  readonly last: string | null
}

const listing = `
local index, behind, most, name, since, dismissed = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
-- In the order of when they were seen, what was not seen since is behind one place.
local to = index == 'ers' and since ~= '' and '(' .. placeOf(tonumber(since) - 1, '') or '+'
local found = call('ZRANGEBYLEX', root .. index, behind == '' and '-' or '(' .. behind, to, 'LIMIT', 0, ${scanned})
local answers, many, last = {}, 0, ''
for _, place in ipairs(found) do
  if many == most then return { answers, last } end
  last = place
  local fingerprint = place:match('|(.*)$')
  local group = call('HMGET', root .. 'eg:' .. fingerprint, ${fields.map((one) => `'${one}'`).join(", ")})
  if group[1] and (name == '' or name == group[1]) and (since == '' or tonumber(group[5]) >= tonumber(since))
    and ((group[3] or '0') == group[2]) == (dismissed == '1') then
    many = many + 1
    answers[#answers + 1] = place
    for field = 1, ${fields.length} do answers[#answers + 1] = group[field] or '0' end
  end
end
return { answers, #found == ${scanned} and last or '' }
`

const part = define<PartRequest, Part>({
  name: "errors.list",
  lua: [reading, ordering, listing],
  args: ({ behind, most, query: { dismissed, order, since, taskName } }) => [
    order === "count" ? "ern" : "ers",
    behind,
    String(most),
    taskName === undefined ? "" : Rows.nameText(taskName),
    since === undefined ? "" : String(since),
    dismissed === true ? "1" : "0"
  ],
  answer: (reply) => {
    const [flat, last] = asList(reply)
    const texts = asTexts(flat!)
    const groups: Array<{ readonly place: string; readonly group: ErrorGroup }> = []
    for (let at = 0; at < texts.length; at += fields.length + 1) {
      const place = texts[at]!
      const fingerprint = place.slice(place.indexOf("|") + 1)
      groups.push({ place, group: groupFrom(fingerprint, texts.slice(at + 1, at + 1 + fields.length)) })
    }
    return { groups, last: last === "" ? null : asText(last!) }
  }
})

const get = define<string, ErrorGroup | null>({
  name: "errors.get",
  lua: [
    reading,
    `return { ARGV[1], call('HMGET', root .. 'eg:' .. ARGV[1], ${fields.map((one) => `'${one}'`).join(", ")}) }`
  ],
  args: (fingerprint) => [fingerprint],
  answer: (reply) => {
    const [fingerprint, found] = asList(reply)
    const texts = asList(found!)
    return texts[0] === null ? null : groupFrom(asText(fingerprint!), texts)
  }
})

const dismiss = define<string, boolean>({
  name: "errors.dismiss",
  lua: [
    reading,
    `
local key = root .. 'eg:' .. ARGV[1]
local many = call('HGET', key, 'n')
if not many then return 0 end
call('HDEL', key, 'dis')
call('HSET', key, 'dis', many)
return 1
`
  ],
  args: (fingerprint) => [fingerprint],
  answer: (reply) => reply === 1
})

/** Forgets some groups that were not seen since `before`; answers how many. */
export const forget = define<{ readonly now: number }, number>({
  name: "errors.forget",
  lua: [
    reading,
    ordering,
    `
local found = call('ZRANGEBYLEX', root .. 'ers', '[' .. placeOf(ARGV[1], ''), '+', 'LIMIT', 0, 100)
for _, place in ipairs(found) do
  local fingerprint = place:match('|(.*)$')
  local many = call('HGET', root .. 'eg:' .. fingerprint, 'n')
  call('UNLINK', root .. 'eg:' .. fingerprint)
  call('ZREM', root .. 'ers', place)
  if many then call('ZREM', root .. 'ern', placeOf(many, fingerprint)) end
end
return #found
`
  ],
  // The last moment that is too long ago.
  args: ({ now }) => [String(now - errorsKept - 1)],
  answer: (reply) => Number(reply)
})

export const make = (ask: Ask): ErrorStore => {
  const list = (query: ErrorQuery): Effect.Effect<ErrorPage, TaskBackendError> =>
    Effect.gen(function*() {
      const limit = pageLimit(query.limit)
      const found: Array<Part["groups"][number]> = []
      let behind = query.cursor ?? ""
      // One more than is shown says whether there is another page.
      while (found.length <= limit) {
        const { groups, last }: Part = yield* ask(part, { query, behind, most: limit + 1 - found.length })
        found.push(...groups)
        if (last === null) break
        behind = last
      }
      const items = found.slice(0, limit)
      const nextCursor = found.length > limit ? items[limit - 1]!.place : null
      return { items: items.map(({ group }) => group), nextCursor }
    })
  return {
    list,
    get: (fingerprint) => ask(get, fingerprint),
    dismiss: (fingerprint) => ask(dismiss, fingerprint)
  }
}
