/**
 * The audit trail: entries in one hash, and in sets of `time|id`, which is their order, one of all and one for each who, action
 * and target. A page is a range of one of them.
 */
import * as Effect from "effect/Effect"
import type { AuditEntry, AuditPage, AuditQuery, AuditStore } from "../../AuditStore.js"
import { pageLimit } from "../../internal/pageLimit.js"
import type { TaskBackendError } from "../../TaskError.js"
import { reading, writing } from "./luaRows.js"
import * as Rows from "./rows.js"
import { type Ask, asList, asText, asTexts, define } from "./script.js"

// Entries that one script looks at, and removes.
const scanned = 1_000
const removed = 500

// Times as text in their own order: from the beginning of 1970 on.
const timeOf = (millis: number): string => String(Math.max(0, Math.ceil(millis))).padStart(15, "0")

const indexOf = (what: "who" | "action" | "target", value: string): string => `au:${Rows.hashOf(what, value)}`

const append = define<ReadonlyArray<AuditEntry>, void>({
  name: "audit.append",
  lua: [
    reading,
    writing,
    `
local known, many = {}, 0
for id, place, indexes, entry in ARGV[1]:gmatch('([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n') do
  if not known[id] and call('HEXISTS', root .. 'audit', id) == 0 then
    known[id], many = true, many + 1
    put('au', place, 0)
    for index in indexes:gmatch('%S+') do put(index, place, 0) end
    setFields('audit', id, indexes .. '\\n' .. entry)
  end
end
if many > 0 then flush() end
`
  ],
  args: (entries) => [
    entries.map((entry) => {
      const { action, at, id, target, who } = entry
      const indexes = [indexOf("who", who), indexOf("action", action)]
      if (target !== null) indexes.push(indexOf("target", target))
      return `${id}\n${timeOf(at)}|${id}\n${indexes.join(" ")}\n${JSON.stringify(entry)}\n`
    }).join("")
  ],
  answer: () => undefined
})

interface PartRequest {
  readonly query: AuditQuery
  readonly behind: string | null
  readonly most: number
}

interface Part {
  readonly found: ReadonlyArray<{ readonly place: string; readonly entry: AuditEntry }>
  /** How far it came; null when there is nothing behind. */
  readonly last: string | null
}

const part = define<PartRequest, Part>({
  name: "audit.page",
  lua: [
    reading,
    `
local from, to, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local places = call('ZREVRANGEBYLEX', root .. ARGV[4], to, from, 'LIMIT', 0, ${scanned})
local answers, many, last = {}, 0, ''
for _, place in ipairs(places) do
  if many == most then return { answers, last } end
  last = place
  local fits = true
  for index = 5, #ARGV do fits = fits and call('ZSCORE', root .. ARGV[index], place) end
  local entry = fits and call('HGET', root .. 'audit', place:match('|(.*)$'))
  if entry then
    many = many + 1
    answers[#answers + 1] = place
    answers[#answers + 1] = entry:match('\\n(.*)$')
  end
end
return { answers, #places == ${scanned} and last or '' }
`
  ],
  args: ({ behind, most, query: { action, since, target, until, who } }) => {
    const upTo = until === undefined ? null : timeOf(until)
    return [
      since === undefined ? "-" : `[${timeOf(since)}`,
      behind !== null && (upTo === null || behind < upTo) ? `(${behind}` : upTo === null ? "+" : `(${upTo}`,
      String(most),
      // What is likely to be rarest is gone through, the others are asked.
      ...target === undefined ? [] : [indexOf("target", target)],
      ...who === undefined ? [] : [indexOf("who", who)],
      ...action === undefined ? [] : [indexOf("action", action)],
      ...target === undefined && who === undefined && action === undefined ? ["au"] : []
    ]
  },
  answer: (reply) => {
    const [flat, last] = asList(reply)
    const texts = asTexts(flat!)
    const found: Array<{ readonly place: string; readonly entry: AuditEntry }> = []
    // safe: what was written
    for (let at = 0; at < texts.length; at += 2) found.push({ place: texts[at]!, entry: JSON.parse(texts[at + 1]!) })
    return { found, last: last === "" ? null : asText(last!) }
  }
})

const remove = define<{ readonly cutoff: number; readonly limit: number }, number>({
  name: "audit.deleteBefore",
  lua: [
    reading,
    `
local places = call('ZRANGEBYLEX', root .. 'au', '-', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, place in ipairs(places) do
  local id = place:match('|(.*)$')
  local entry = call('HGET', root .. 'audit', id)
  for index in (entry and entry:match('^[^\\n]*') or ''):gmatch('%S+') do call('ZREM', root .. index, place) end
  call('HDEL', root .. 'audit', id)
  call('ZREM', root .. 'au', place)
end
return #places
`
  ],
  args: ({ cutoff, limit }) => [timeOf(cutoff), String(limit)],
  answer: (reply) => Number(reply)
})

export const make = (ask: Ask): AuditStore => {
  const page = (query: AuditQuery): Effect.Effect<AuditPage, TaskBackendError> =>
    Effect.gen(function*() {
      const limit = pageLimit(query.limit)
      const found: Array<Part["found"][number]> = []
      let behind = query.cursor ?? null
      // One more than is shown says whether there is another page.
      while (found.length <= limit) {
        const some: Part = yield* ask(part, { query, behind, most: limit + 1 - found.length })
        found.push(...some.found)
        if (some.last === null) break
        behind = some.last
      }
      const items = found.slice(0, limit)
      const nextCursor = found.length > limit ? items[limit - 1]!.place : null
      return { items: items.map(({ entry }) => entry), nextCursor }
    })

  const deleteBefore = (cutoff: number, limit: number): Effect.Effect<number, TaskBackendError> =>
    Effect.gen(function*() {
      let deleted = 0
      while (deleted < limit) {
        const step = Math.min(removed, limit - deleted)
        const some = yield* ask(remove, { cutoff, limit: step })
        deleted += some
        if (some < step) break
      }
      return deleted
    })

  return {
    append: (entries) => entries.length === 0 ? Effect.void : ask(append, entries),
    page,
    deleteBefore
  }
}
