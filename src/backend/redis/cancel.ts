/** Cancelling: what has no attempt under way ends at once, what runs is marked for its owner. */
import type { CancelResult } from "../../TaskBackend.js"
import type { InstanceId } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import type { Terminal } from "../../TaskStatus.js"
import { reading, writing } from "./luaRows.js"
import * as Rows from "./rows.js"
import { asText, asTexts, define } from "./script.js"

const cancelling = `
local id, now = ARGV[1], ARGV[2]
tellAs, tellAt = ARGV[3], now
local found = call('HMGET', root .. 't:' .. id, 'h', 'm', 'f', 'e', 'p', 'r')
if not found[1] then return { 'none' } end
local r, meta = parse(id, found[1]), parseMeta(found[2])
rows[id] = r
if r.status ~= 'pending' and r.status ~= 'running' then return { 'ended', r.status } end

local function answer(what)
  local answers = { what, r.owner, headOf(r) }
  for index = 2, 6 do answers[index + 2] = found[index] or '' end
  return answers
end

touch(r)
if active(r) and r.owner ~= '-' then
  if r.cancel ~= '1' then
    r.cancel = '1'
    tellRow(r, meta)
  end
  put('can:' .. r.owner, id, 0)
  flush(function() call('HDEL', root .. 'keys', '-') end)
  return answer('asked')
end
if r.owner == '-' then
  local lane = meta.version .. (r.suspect == '1' and 's' or '')
  drop('due', id)
  drop('ready:' .. lane .. ':' .. meta.name, r.seq .. '|' .. id)
end
finish(r, 'cancelled', meta.name, meta.key, '-', now)
endedAs(meta.name, 'cancelled', r.rest:match('^%S+ %S+ %S+ (%S+)'), meta)
r.owner, r.next = '-', '-'
r.rest = r.rest:match('^(%S+ %S+ %S+ %S+ %S+ %S+)') .. ' ' .. now .. ' cancel'
tellRow(r, meta)
flush(function() call('HDEL', root .. 'keys', '-') end)
return answer('cancelled')
`

interface CancelRequest {
  readonly taskId: TaskId
  readonly now: number
  /** Who tells of it. */
  readonly by: InstanceId | null
}

export const script = define<CancelRequest, (taskId: TaskId) => CancelResult>({
  name: "cancel",
  lua: [reading, writing, cancelling],
  args: ({ by, now, taskId }) => [taskId, String(now), by ?? ""],
  answer: (reply) => (taskId) => {
    const texts = asTexts(reply)
    const [what, word] = texts
    switch (asText(what!)) {
      case "cancelled":
        return { _tag: "Cancelled", record: Rows.fromFields(taskId, texts, 2) }
      case "asked":
        return {
          _tag: "Requested",
          record: Rows.fromFields(taskId, texts, 2),
          owner: word as InstanceId // safe: the owner's own id
        }
      case "ended":
        return { _tag: "AlreadyEnded", status: word as Terminal } // safe: no other status ends there
      default:
        return { _tag: "NotFound" }
    }
  }
})
