/**
 * The feed: one stream, read from wherever a reader is. What a page was read up to is its cursor.
 */
import type { Batch, Change } from "../../TaskBackend.js"
import type { FeedPage, FeedQuery, TaskChange } from "../../TaskChange.js"
import type { InstanceId, Progress } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import type { TaskRecord } from "../../TaskRecord.js"
import type { TaskStatus } from "../../TaskStatus.js"
import { reading } from "./luaRows.js"
import * as Rows from "./rows.js"
import { asText, asTexts, define } from "./script.js"

/** How long entries are kept, in milliseconds. */
export const kept = 10 * 60_000

/** A line of the feed without its id in front and the name behind, of a change that is applied. */
export const lineOf = (
  change: Extract<Change, { readonly record: TaskRecord }>,
  { instance }: Pick<Batch, "instance">
): string => {
  const { attempts, cancelRequested, claim, nextAttemptAt, owner, retryOf, runAt, status } = change.record
  const held = change._tag === "Unclaim" || owner === null ? "-" : owner === instance ? "=" : owner
  const due = status === "pending" ? runAt : status === "running" ? nextAttemptAt : null
  return `${status} ${held} ${cancelRequested ? 1 : 0} ${due ?? "-"} ${claim} ${attempts} ${retryOf ?? "-"}`
}

// safe (all casts): words of `lineOf`, `tellRow` and the scripts that tell of lines and progress
const changeFrom = (line: string, by: InstanceId, at: number): TaskChange => {
  const [id, word, ...rest] = line.split(" ")
  const common = { taskId: id as TaskId, at, by }
  if (word === "L") return { _tag: "Logged", ...common, lines: rest[0] === "-" ? null : Number(rest[0]) }
  if (word === "P") {
    const [value, message] = JSON.parse(rest.slice(1).join(" ")) as [Progress["value"], Progress["message"]]
    return { _tag: "Progressed", ...common, claim: Number(rest[0]), progress: { value, message } }
  }
  const [owner, cancel, due, claim, attempts, retryOf, ...name] = rest
  return {
    _tag: "Changed",
    ...common,
    taskName: Rows.nameFrom(name.join(" ")),
    status: word as TaskStatus,
    owner: owner === "-" ? null : owner === "=" ? by : owner as InstanceId,
    claim: Number(claim),
    attempts: Number(attempts),
    cancelRequested: cancel === "1",
    dueAt: due === "-" ? null : Number(due),
    retryOf: retryOf === "-" ? null : retryOf as TaskId
  }
}

// Entries, and about how many characters of them, that one script answers.
const entries = 500
const characters = 1_000_000

const following = `
local cursor, most = ARGV[1], tonumber(ARGV[2])
local last = call('GET', root .. 'feed:last') or '0-0'
if cursor == '' then return { last, 'here' } end
local found = call('XRANGE', root .. 'feed', '(' .. cursor, '+', 'COUNT', most)
if #found == 0 then return { last, cursor == last and 'here' or 'missed' } end
if found[1][2][6] ~= cursor then return { last, 'missed' } end
local answers, size = { last, 'read' }, 0
for _, entry in ipairs(found) do
  if size > ${characters} then break end
  local fields = entry[2]
  size = size + #fields[8]
  for _, one in ipairs({ entry[1], fields[2], fields[4], fields[8] }) do answers[#answers + 1] = one end
end
return answers
`

export const read = define<FeedQuery, FeedPage>({
  name: "feed",
  lua: [reading, following],
  args: ({ cursor, limit }) => [
    // It may have been through a browser: what cannot be a cursor is one of nobody.
    cursor === null ? "" : /^\d{1,15}-\d{1,15}$/.test(cursor) ? cursor : "0-1",
    String(Math.min(entries, Math.max(1, Math.floor(limit))))
  ],
  answer: (reply) => {
    const [last, what, ...flat] = asTexts(reply)
    const changes: Array<TaskChange> = []
    let cursor = asText(last!)
    for (let at = 0; at < flat.length; at += 4) {
      cursor = flat[at]!
      const by = flat[at + 1] as InstanceId // safe: the teller's own id
      const when = Number(flat[at + 2])
      for (const line of flat[at + 3]!.split("\n")) changes.push(changeFrom(line, by, when))
    }
    return { changes, cursor, more: cursor !== last, reset: what === "missed" }
  }
})

const trimming = `
local found, old = call('XRANGE', root .. 'feed', '-', '+', 'COUNT', 200), 0
for _, entry in ipairs(found) do
  if tonumber(entry[2][4]) >= tonumber(ARGV[1]) then break end
  old = old + 1
end
if old > 0 then call('XTRIM', root .. 'feed', 'MAXLEN', call('XLEN', root .. 'feed') - old) end
return old
`

/** Forgets some of what was told before; answers how many entries. */
export const trim = define<number, number>({
  name: "trim",
  lua: [reading, trimming],
  args: (before) => [String(before)],
  answer: (reply) => Number(reply)
})
