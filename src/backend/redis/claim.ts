/**
 * Claiming: what is due becomes ready, then the best heads of the lanes are taken, then what others hold and do not start.
 *
 * A lane is the ready rows of one name and one version of its definition, suspects apart, sorted by priority and arrival. So
 * rows of other deployments cost nothing however many stand in front, and each claim reads as many heads as it takes.
 */
import type { Claimed, ClaimRequest } from "../../TaskBackend.js"
import { pausedNames } from "./controls.js"
import { reading, writing } from "./luaRows.js"
import * as Rows from "./rows.js"
import { asList, asTexts, define } from "./script.js"

// Each step leaves all indexes whole, and no more than 2,000 rows become ready in one claim.
const promote = `
local instance, now, slots, window, stealBefore, many =
  ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5], tonumber(ARGV[6])
if call('HGET', root .. 'i:' .. instance, 'state') ~= 'live' then return false end
tellAs, tellAt = instance, now

for step = 1, 4 do
  local due = call('ZRANGEBYSCORE', root .. 'due', '-inf', now, 'LIMIT', 0, 500)
  if #due == 0 then break end
  for _, id in ipairs(due) do
    local found = call('HMGET', root .. 't:' .. id, 'h', 'm')
    if found[1] and found[2] then
      local r, meta = parse(id, found[1]), parseMeta(found[2])
      local lane = meta.version .. (r.suspect == '1' and 's' or '')
      call('ZADD', root .. 'vers:' .. meta.name, meta.version, lane)
      call('ZADD', root .. 'ready:' .. lane .. ':' .. meta.name, text(-tonumber(meta.priority)), r.seq .. '|' .. id)
    end
    call('ZREM', root .. 'due', id)
  end
end
`

// What is paused has no room, so it is neither claimed, nor taken over, nor a reason to ask again.
const taking = `
local rooms, byName, lanes = {}, {}, {}
local shares = {}
for index = 6 + many * 5 + 1, #ARGV do shares[#shares + 1] = { slots = tonumber(ARGV[index]) } end
local paused = {}
for _, name in ipairs(call('HKEYS', root .. 'paused')) do paused[name] = true end
local function admit(index)
  local from = 6 + (index - 1) * 5
  local room = { name = ARGV[from + 1], version = tonumber(ARGV[from + 2]), slots = tonumber(ARGV[from + 3]),
    window = tonumber(ARGV[from + 4]), lanes = {}, share = shares[tonumber(ARGV[from + 5])] }
  if paused[everything] or paused[room.name] then return end
  rooms[#rooms + 1], byName[room.name] = room, room
  for _, lane in ipairs(call('ZRANGEBYSCORE', root .. 'vers:' .. room.name, '-inf', ARGV[from + 2])) do
    local one = { lane = lane, key = 'ready:' .. lane .. ':' .. room.name, room = room, suspects = lane:sub(-1) == 's',
      heads = {}, at = 1, read = 0 }
    room.lanes[#room.lanes + 1] = one
    lanes[#lanes + 1] = one
  end
end
for index = 1, many do admit(index) end

local started, pending = {}, {}
local startedMany, pendingMany = 0, 0
local startedRows, heldRows = {}, {}
local holdsSuspect = call('ZCARD', root .. 'sus:' .. instance) > 0

local function peek(lane)
  if lane.at > #lane.heads then
    if lane.read < 0 then return nil end
    local next = call('ZRANGE', root .. lane.key, lane.read, lane.read + 99, 'WITHSCORES')
    lane.heads, lane.at = next, 1
    lane.read = #next < 200 and -1 or lane.read + 100
    if #next == 0 then return nil end
  end
  return lane.heads[lane.at], tonumber(lane.heads[lane.at + 1])
end

local function canStart(room)
  return room.slots > 0 and startedMany < slots and (not room.share or room.share.slots > 0)
end
local function spend(room)
  room.slots = room.slots - 1
  if room.share then room.share.slots = room.share.slots - 1 end
end
local function canWait(room) return room.window > 0 and pendingMany < window end

local function answer(to, r, found)
  local many = #to
  to[many + 1], to[many + 2], to[many + 3], to[many + 4] = r.id, headOf(r), found[2], found[3]
  to[many + 5], to[many + 6], to[many + 7] = found[4] or '', found[5] or '', ''
end

local function startRow(r, found, meta)
  local attempts, failures, crashes, first, _, _, tail = r.rest:match(
    '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  touch(r)
  leave(r)
  if r.status ~= 'running' then turn(r, 'running', meta.name) end
  r.owner, r.claim, r.next = instance, plus(r.claim, 1), '-'
  r.rest = table.concat({ plus(attempts, 1), failures, crashes, first == '-' and now or first, now, instance, tail }, ' ')
  keep(r, 0)
  startedMany = startedMany + 1
  startedRows[startedMany] = { r, meta }
  answer(started, r, found)
end

local function holdRow(r, found, meta)
  touch(r)
  leave(r)
  r.owner, r.claim = instance, plus(r.claim, 1)
  keep(r, meta.kind == 'effect' and -1 or now)
  pendingMany = pendingMany + 1
  heldRows[pendingMany] = { r, meta }
  answer(pending, r, found)
end

-- As most are: waits for its first attempt, of which nothing is known to have gone wrong, and no other task's retry. They
-- are as many as there are room for, so they have no tables of their own.
local plainTold = { [true] = {}, [false] = {} }
local startedRest = '1 0 0 ' .. now .. ' ' .. now .. ' ' .. instance .. ' - -'
local function takePlain(id, room, head, meta, facts)
  local claim, middle, rest = head:match('^pending %- (%d+) %- 0 0 (%d+ %d+ %d+ %. %- )(0 0 0 %- .*)$')
  if not claim or not meta:find('^%S+ %S+ %S+ %S+ task %S+ %S+ %S+ %S+ %S+ %- ') then return false end
  local starts = canStart(room)
  claim = plus(claim, 1)
  local status = starts and 'running' or 'pending'
  local h = status .. ' ' .. instance .. ' ' .. claim .. ' - 0 0 ' .. middle .. (starts and startedRest or rest)
  rowKeys[#rowKeys + 1], rowHeads[#rowHeads + 1] = root .. 't:' .. id, h
  local owned = listOf(adds, 'own:' .. instance)
  owned[#owned + 1], owned[#owned + 2] = starts and 0 or now, id
  local due = '-'
  if starts then
    spend(room)
    startedMany = startedMany + 1
    local gone, listed = listOf(drops, 's:pending'), listOf(adds, 's:running')
    gone[#gone + 1] = id
    listed[#listed + 1], listed[#listed + 2] = 0, id
    count(room.name, 'pending', -1)
    count(room.name, 'running', 1)
  else
    room.window = room.window - 1
    pendingMany = pendingMany + 1
    due = meta:match('^%S+ %S+ %S+ %S+ task (%S+)')
  end
  local lines = plainTold[starts]
  lines[#lines + 1] = id .. ' ' .. status .. ' = 0 ' .. due .. ' ' .. claim .. (starts and ' 1 - ' or ' 0 - ') .. room.name
  local to = starts and started or pending
  local many = #to
  to[many + 1], to[many + 2], to[many + 3], to[many + 4] = id, h, meta, facts
  to[many + 5], to[many + 6], to[many + 7] = '', '', ''
  return true
end

local function take(lane, member)
  -- The arrival stands in front.
  local id = member:sub(member:find('|', 1, true) + 1)
  lane.at = lane.at + 2
  lane.taken = true
  local gone = listOf(drops, lane.key)
  gone[#gone + 1] = member
  local key = root .. 't:' .. id
  local found = call('HMGET', key, 'h', 'm', 'f')
  -- A row that is damaged stops no other one.
  if not found[1] or not found[2] then return end
  if found[3] and takePlain(id, lane.room, found[1], found[2], found[3]) then return end
  local r, meta, room = parse(id, found[1]), parseMeta(found[2]), lane.room
  found[4], found[5] = unpack(call('HMGET', key, 'e', 'p'))
  rows[id] = r
  if canStart(room) then
    spend(room)
    startRow(r, found, meta)
  else
    room.window = room.window - 1
    holdRow(r, found, meta)
  end
  if r.suspect == '1' then holdsSuspect = true end
end

while true do
  local best, bestMember, bestScore = nil, nil, nil
  for _, lane in ipairs(lanes) do
    local room = lane.room
    if (not lane.suspects or not holdsSuspect) and (canStart(room) or canWait(room)) then
      local member, score = peek(lane)
      if member and (not best or score < bestScore or (score == bestScore and member < bestMember)) then
        best, bestMember, bestScore = lane, member, score
      end
    end
  end
  if not best then break end
  take(best, bestMember)
end
`

const stealing = `
local function stealable()
  local idle = {}
  for _, other in ipairs(call('ZRANGE', root .. 'peers', 0, -1)) do
    if other ~= instance then
      for _, id in ipairs(call('ZRANGEBYSCORE', root .. 'own:' .. other, '(0', '(' .. stealBefore, 'LIMIT', 0, 500)) do
        local found = call('HMGET', root .. 't:' .. id, 'h', 'm', 'f', 'e', 'p')
        local meta = found[1] and found[2] and parseMeta(found[2])
        local room = meta and byName[meta.name]
        if room and tonumber(meta.version) <= room.version and room.slots > 0 then
          idle[#idle + 1] = { r = parse(id, found[1]), found = found, meta = meta, priority = tonumber(meta.priority) }
        end
      end
    end
  end
  table.sort(idle, function(a, b)
    if a.priority ~= b.priority then return a.priority > b.priority end
    return a.r.seq < b.r.seq
  end)
  return idle
end

if stealBefore ~= '' and startedMany < slots then
  for _, one in ipairs(stealable()) do
    local room, suspect = byName[one.meta.name], one.r.suspect == '1'
    if canStart(room) and not (suspect and holdsSuspect) then
      spend(room)
      rows[one.r.id] = one.r
      startRow(one.r, one.found, one.meta)
      if suspect then holdsSuspect = true end
    end
  end
end
`

// Suspects that may not be taken now are no reason to ask again at once.
const ending = `
local more = {}
for _, room in ipairs(rooms) do
  for _, lane in ipairs(room.lanes) do
    if (not lane.suspects or not holdsSuspect) and peek(lane) then
      more[#more + 1] = room.name
      break
    end
  end
end
for _, line in ipairs(plainTold[true]) do told[#told + 1] = line end
for _, one in ipairs(startedRows) do tellRow(one[1], one[2]) end
for _, line in ipairs(plainTold[false]) do told[#told + 1] = line end
for _, one in ipairs(heldRows) do tellRow(one[1], one[2]) end
if startedMany + pendingMany > 0 or next(sets) or next(drops) then flush() end
for _, lane in ipairs(lanes) do
  if lane.read < 0 and lane.at > #lane.heads and call('ZCARD', root .. lane.key) == 0 then
    call('ZREM', root .. 'vers:' .. lane.room.name, lane.lane)
  end
end
local due = call('ZRANGE', root .. 'due', 0, 0, 'WITHSCORES')
return { started, pending, more, due[2] or false }
`

/** Null when the instance is not alive. */
export const script = define<ClaimRequest, Claimed | null>({
  name: "claim",
  lua: [reading, writing, pausedNames, promote, taking, stealing, ending],
  // Of each name the place of its group, 0 for none; the slots of the groups are the last ones.
  args: ({ groups = [], instance, now, slots, stealAfter, tasks, window }) => {
    const stealBefore = stealAfter === null ? "" : String(now - stealAfter)
    const wanted = new Map(tasks.map((one) => [one.name, one]))
    const args = [instance, String(now), String(slots), String(window), stealBefore, String(wanted.size)]
    for (const { name, slots, version, window } of wanted.values()) {
      const group = groups.findIndex(({ names }) => names.includes(name)) + 1
      args.push(Rows.nameText(name), String(version), String(slots), String(window), String(group))
    }
    return [...args, ...groups.map(({ slots }) => String(slots))]
  },
  answer: (reply) => {
    if (reply === null) return null
    const [started, pending, more, nextDueAt] = asList(reply)
    return {
      started: Rows.fromRows(asList(started!)),
      pending: Rows.fromRows(asList(pending!)),
      more: asTexts(more!).map(Rows.nameFrom),
      nextDueAt: nextDueAt === null || nextDueAt === undefined ? null : Number(nextDueAt),
      joined: []
    }
  }
})
