/**
 * Giving back what the dead owned.
 *
 * At most one task of a dead instance fails as poison: its only suspect. What that is counted as is made of its name, which
 * whoever reaps may never have heard of; so the script asks for it before it changes anything.
 */
import { fingerprintOf } from "../../internal/fingerprint.js"
import type { InstanceId } from "../../TaskEvent.js"
import type { Reaped } from "../../TaskPeer.js"
import { counting } from "./luaErrors.js"
import { dying, reading, writing } from "./luaRows.js"
import * as Rows from "./rows.js"
import { asList, asText, define } from "./script.js"

const reaping = `
local suspect, beat, now, limit, died = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
tellAs, tellAt = ARGV[6], now
local poisonName, fingerprint, sample = ARGV[7], ARGV[8], ARGV[9]
local known = call('HMGET', root .. 'i:' .. suspect, 'state', 'beat')
local state = known[1]
if not state or state == 'gone' or (state == 'live' and known[2] ~= beat) then return { {}, 0, '' } end
declareDead(suspect, state)
local lone = call('HGET', root .. 'i:' .. suspect, 'lone')
local answers = {}

local function isPoison(r, meta)
  if r.id ~= lone or not active(r) or r.cancel == '1' or meta.requeue == '0' then return false end
  local crashes = r.rest:match('^%S+ %S+ (%S+)')
  return tonumber(crashes) + 1 >= tonumber(meta.maxCrashes)
end

-- What the failure of this name is counted as cannot be made here: it is asked for, and nothing is given back yet.
if lone ~= '' then
  local found = call('HMGET', root .. 't:' .. lone, 'h', 'm')
  local r, meta = found[1] and parse(lone, found[1]), found[2] and parseMeta(found[2])
  if r and meta and r.owner == suspect and isPoison(r, meta) and meta.name ~= poisonName then return { {}, 1, meta.name } end
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
  endedAs(meta.name, status, first, meta)
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
    local poison = isPoison(r, meta)
    crashes = plus(crashes, 1)
    if poison then
      outcome = 'failed'
      endsAs(r, meta, 'failed', 'poison', crashes, plus(failures, 1))
      r.values.e = died
      if not r.has:find('e') then r.has = r.has .. 'e' end
      failed(r, meta.name, fingerprint, sample, now)
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
    local meta = parseMeta(found[2])
    giveBack(r, meta)
    tellRow(r, meta)
    local failure = r.values.e or found[4] or ''
    for _, one in ipairs({ id, headOf(r), found[2], found[3], failure, found[5] or '', '' }) do
      answers[#answers + 1] = one
    end
  else drop('own:' .. suspect, id) end
end
boundGroups()
flush(function() call('HDEL', root .. 'keys', '-') end)
return { answers, buryIfEmpty(suspect, now) and 0 or 1, '' }
`

interface ReapRequest {
  readonly suspect: InstanceId
  readonly beat: number
  readonly now: number
  readonly limit: number
  /** Who tells of it. */
  readonly by: InstanceId | null
  /** The name of a task that would fail as poison, as an earlier answer said. */
  readonly poison: string | null
}

/** `poison`: a task of this name would fail; nothing was given back, ask again with it. */
export const script = define<ReapRequest, Reaped & { readonly poison: string | null }>({
  name: "reap",
  lua: [reading, writing, counting, dying, reaping],
  args: ({ beat, by, limit, now, poison, suspect }) => {
    const args = [suspect, String(beat), String(now), String(limit), JSON.stringify(Rows.died), by ?? ""]
    const found = poison === null ? null : fingerprintOf({ failure: Rows.died, status: "failed", taskName: poison })
    if (poison === null || found === null) return [...args, "", "", ""]
    return [...args, Rows.nameText(poison), found.fingerprint, JSON.stringify(found.sample)]
  },
  answer: (reply) => {
    const [rows, left, poison] = asList(reply)
    return {
      records: Rows.fromRows(asList(rows!)),
      left: left === 1,
      poison: poison === "" ? null : Rows.nameFrom(asText(poison!))
    }
  }
})
