/**
 * Who is there: attaching, beating, leaving, and giving back what the dead owned.
 */
import type { InstanceId } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import type { Heartbeat, InstanceFacts, Peer, Reaped } from "../../TaskPeer.js"
import { dying, reading, writing } from "./luaRows.js"
import * as Rows from "./rows.js"
import { asList, asText, asTexts, define } from "./script.js"

const nothing = (): void => undefined

/** `now` in all of them: epoch milliseconds. */
export const attach = define<InstanceFacts, void>({
  name: "attach",
  lua: [
    reading,
    `
local me = root .. 'i:' .. ARGV[1]
if call('EXISTS', me) == 1 then return end
call('HSET', me, 'state', 'live', 'beat', '0', 'facts', ARGV[2], 'lone', '')
call('ZADD', root .. 'peers', 0, ARGV[1])
`
  ],
  args: (facts) => [facts.id, JSON.stringify(facts)],
  answer: nothing
})

export const detach = define<{ readonly instance: InstanceId; readonly now: number }, void>({
  name: "detach",
  lua: [
    reading,
    dying,
    `
local state = call('HGET', root .. 'i:' .. ARGV[1], 'state')
if not state or state == 'gone' then return end
declareDead(ARGV[1], state)
buryIfEmpty(ARGV[1], ARGV[2])
`
  ],
  args: ({ instance, now }) => [instance, String(now)],
  answer: nothing
})

/** The server's clock is read as a fact to compare with, never to decide by. */
export const heartbeat = define<InstanceId, Heartbeat>({
  name: "heartbeat",
  lua: [
    reading,
    `
local id, me = ARGV[1], root .. 'i:' .. ARGV[1]
local alive = call('HGET', me, 'state') == 'live'
-- A removal first: full memory must not look like death.
if alive then
  call('HDEL', me, '-')
  call('HINCRBY', me, 'beat', 1)
end
local peers = {}
for _, other in ipairs(call('ZRANGE', root .. 'peers', 0, -1)) do
  if other ~= id then
    for _, value in ipairs(call('HMGET', root .. 'i:' .. other, 'state', 'beat', 'facts')) do
      peers[#peers + 1] = value or ''
    end
  end
end
local time = call('TIME')
return { alive and 1 or 0, call('ZRANGE', root .. 'can:' .. id, 0, -1), peers, time[1], time[2] }
`
  ],
  args: (instance) => [instance],
  answer: (reply) => {
    const [alive, cancels, flat, seconds, micros] = asList(reply)
    const texts = asTexts(flat!)
    const peers: Array<Peer> = []
    for (let at = 0; at < texts.length; at += 3) {
      if (texts[at] === "") continue
      const state = texts[at] as Peer["state"] // safe: of those that are not gone
      peers.push({ ...(JSON.parse(texts[at + 2]!) as InstanceFacts), beat: Number(texts[at + 1]), state }) // safe: attached so
    }
    return {
      alive: alive === 1,
      cancels: asTexts(cancels!) as ReadonlyArray<TaskId>, // safe: ids that were stored as such
      peers,
      backendNow: Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
    }
  }
})

const reaping = `
local suspect, beat, now, limit, died = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local known = call('HMGET', root .. 'i:' .. suspect, 'state', 'beat')
local state = known[1]
if not state or state == 'gone' or (state == 'live' and known[2] ~= beat) then return { {}, 0 } end
declareDead(suspect, state)
local lone = call('HGET', root .. 'i:' .. suspect, 'lone')
local answers = {}

-- In buckets ten percent wide, as internal/durations.ts has them.
local function bucketOf(millis)
  if millis < 1 then return '0' end
  return text(1 + math.floor(math.log(millis) / math.log(1.1)))
end

local function endsAs(r, meta, status, reason, crashes, failures)
  local attempts, _, _, first, begun, ran = r.rest:match('^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)')
  finish(r, status, meta.name, meta.key, '-', now)
  r.owner, r.next = '-', '-'
  r.rest = table.concat({ attempts, failures, crashes, first, begun, ran, now, reason }, ' ')
  if status == 'failed' and first ~= '-' then
    local millis = math.max(0, tonumber(now) - tonumber(first))
    lasted(meta.name, bucketOf(millis), millis)
  end
end

local function ready(r, meta)
  r.owner = '-'
  local at = r.next ~= '-' and r.next or meta.runAt
  if at ~= '-' and tonumber(at) > tonumber(now) then return wait(r, meta.name, 'd', at) end
  wait(r, meta.name, 'r', text(-tonumber(meta.priority)), meta.version .. (r.suspect == '1' and 's' or ''))
end

local function giveBack(r, meta)
  local attempts, failures, crashes, first, begun, ran, tail = r.rest:match(
    '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  touch(r)
  if not active(r) then
    if meta.kind == 'effect' then return endsAs(r, meta, 'cancelled', 'cancel', crashes, failures) end
    leave(r)
    return ready(r, meta)
  end
  local owner, outcome = r.owner, nil
  if r.cancel == '1' then
    outcome = 'cancelled'
    endsAs(r, meta, 'cancelled', 'cancel', crashes, failures)
  elseif meta.requeue == '0' then
    outcome = 'interrupted'
    endsAs(r, meta, 'interrupted', 'instanceDied', crashes, failures)
  else
    crashes = plus(crashes, 1)
    if r.id == lone and tonumber(crashes) >= tonumber(meta.maxCrashes) then
      outcome = 'failed'
      endsAs(r, meta, 'failed', 'poison', crashes, plus(failures, 1))
      r.values.e = died
      if not r.has:find('e') then r.has = r.has .. 'e' end
    else
      outcome = 'requeued'
      leave(r)
      turn(r, 'pending', meta.name)
      local many = tonumber(crashes)
      r.suspect = many >= 1 and many >= tonumber(meta.maxCrashes) - 1 and '1' or '0'
      r.rest = table.concat({ attempts, failures, crashes, first, begun, ran, tail }, ' ')
      ready(r, meta)
    end
  end
  push('at:' .. r.id, table.concat({ r.claim, attempts, begun, now, outcome, owner }, ' '))
end

local given = call('ZRANGE', root .. 'own:' .. suspect, 0, limit - 1)
for _, id in ipairs(limit > 0 and given or {}) do
  local found = call('HMGET', root .. 't:' .. id, 'h', 'm', 'f', 'e', 'p')
  if found[1] then
    local r = parse(id, found[1])
    rows[id] = r
    giveBack(r, parseMeta(found[2]))
    local failure = r.values.e or found[4] or ''
    for _, one in ipairs({ id, headOf(r), found[2], found[3], failure, found[5] or '', '' }) do
      answers[#answers + 1] = one
    end
  else drop('own:' .. suspect, id) end
end
flush(function() call('HDEL', root .. 'keys', '-') end)
return { answers, buryIfEmpty(suspect, now) and 0 or 1 }
`

interface ReapRequest {
  readonly suspect: InstanceId
  readonly beat: number
  readonly now: number
  readonly limit: number
}

export const reap = define<ReapRequest, Reaped>({
  name: "reap",
  lua: [reading, writing, dying, reaping],
  args: (
    { beat, limit, now, suspect }
  ) => [suspect, String(beat), String(now), String(limit), JSON.stringify(Rows.died)],
  answer: (reply) => {
    const [rows, left] = asList(reply)
    return { records: Rows.fromRows(asList(rows!)), left: left === 1 }
  }
})

/** What the instance owns. */
export const owned = define<InstanceId, ReturnType<typeof Rows.fromRows>>({
  name: "owned",
  lua: [
    reading,
    `
local answers = {}
for _, id in ipairs(call('ZRANGE', root .. 'own:' .. ARGV[1], 0, -1)) do
  local found = call('HMGET', root .. 't:' .. id, 'h', 'm', 'f', 'e', 'p', 'r')
  if found[1] then
    answers[#answers + 1] = id
    for index = 1, 6 do answers[#answers + 1] = found[index] or '' end
  end
end
return answers
`
  ],
  args: (instance) => [instance],
  answer: (reply) => Rows.fromRows(asList(reply))
})

/** Forgets instances that are gone for long: some of them, and answers how many. */
export const forget = define<{ readonly goneBefore: number }, number>({
  name: "forget",
  lua: [
    reading,
    `
local ids = call('ZRANGEBYSCORE', root .. 'gone', '-inf', ARGV[1], 'LIMIT', 0, 100)
for _, id in ipairs(ids) do
  call('UNLINK', root .. 'i:' .. id, root .. 'own:' .. id, root .. 'sus:' .. id, root .. 'can:' .. id)
  call('ZREM', root .. 'gone', id)
end
return text(#ids)
`
  ],
  args: ({ goneBefore }) => [String(goneBefore)],
  answer: (reply) => Number(asText(reply))
})
