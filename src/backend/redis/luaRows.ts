/**
 * Lua that several scripts share: rows, indexes, counts and keys as one script sees them.
 *
 * Lua has no rollback, so a script decides on tables of its own and writes at the end, in `flush`: first it looks at the type
 * of every key it is going to write, then it writes. Texts of users are opaque here, they are stored and answered as they
 * came. All keys have one hash tag; those that follow from the data are made from the one that is declared.
 *
 * `h`, the head of a row, is twelve words: status, owner, claim, nextAttemptAt, cancel, suspect, lines, bytes, sequence, which of
 * `e p r` are there, retriedAs, and the rest as `rows.ts` writes it. `m` is what never changes of what decisions need.
 */

import { telling } from "./luaFeed.js"
import { listing } from "./luaPlain.js"
import { summing } from "./luaRollups.js"

/** Reading and numbers. Every number stays text, because Lua would write large ones with an exponent. */
export const reading = `
local call, root = redis.call, KEYS[1]
local function text(n) return string.format('%.0f', n) end
local function plus(a, n) return text(tonumber(a) + n) end

local function headOf(r)
  return table.concat({ r.status, r.owner, r.claim, r.next, r.cancel, r.suspect, r.lines, r.bytes, r.seq, r.has,
    r.retriedAs, r.rest }, ' ')
end

local function parse(id, h)
  local r = { id = id }
  r.status, r.owner, r.claim, r.next, r.cancel, r.suspect, r.lines, r.bytes, r.seq, r.has, r.retriedAs, r.rest = h:match(
    '^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return r
end

local function active(r) return r.status == 'running' and r.next == '-' end

local function parseMeta(m)
  local t = {}
  t.priority, t.version, t.requeue, t.maxCrashes, t.kind, t.runAt, t.keyTtl, t.key, t.source, t.createdAt, t.retryOf,
    t.name = m:match('^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (.*)$')
  return t
end
`

/** Changes as tables, and `flush`, which writes them. */
export const writing = `${telling}${listing}
local rows, dirty, kinds = {}, {}, {}
local function row(id)
  local r = rows[id]
  if r == nil then
    local h = call('HGET', root .. 't:' .. id, 'h')
    r = h and parse(id, h) or false
    rows[id] = r
  end
  return r
end

local function touch(r)
  if not dirty[r.id] then
    dirty[r.id] = r
    r.values = r.values or {}
    r.removed = r.removed or {}
  end
end

-- Sorted sets: member to score, false for one that goes.
local sets = {}
local function put(key, member, score)
  local members = sets[key]
  if not members then
    members = {}
    sets[key] = members
    kinds[key] = 'zset'
  end
  members[member] = score
end
local function drop(key, member) put(key, member, false) end

local lists = {}
local function push(key, value)
  local values = lists[key]
  if not values then
    values = {}
    lists[key] = values
    kinds[key] = 'list'
  end
  values[#values + 1] = value
end

-- Fields of other hashes: key, then field and value in turn.
local hashes, unlinked = {}, {}
local function setFields(key, ...)
  local fields = hashes[key]
  if not fields then
    fields = {}
    hashes[key] = fields
    kinds[key] = 'hash'
  end
  for _, one in ipairs({ ... }) do fields[#fields + 1] = one end
end

-- Idempotency keys: holder and until when.
local held, heldDirty = {}, {}
local function holder(key)
  local found = held[key]
  if found == nil then
    local stored = call('HGET', root .. 'keys', key)
    found = false
    if stored then
      local id, untilWhen = stored:match('^(%S+) (%S+)$')
      found = { id = id, untilWhen = untilWhen }
    end
    held[key] = found
  end
  return found
end
local function hold(key, value)
  held[key] = value
  heldDirty[key] = true
end

local tallies = {}
local function tallyOf(name)
  local tally = tallies[name]
  if not tally then
    tally = { counts = {}, buckets = {}, n = 0, sum = 0, ends = {}, waits = {} }
    tallies[name] = tally
    kinds['st:' .. name] = 'hash'
  end
  return tally
end
local function count(name, status, by)
  local counts = tallyOf(name).counts
  counts[status] = (counts[status] or 0) + by
end
local function lasted(name, bucket, millis)
  local tally, took = tallyOf(name), tonumber(millis)
  tally.buckets[bucket] = (tally.buckets[bucket] or 0) + 1
  tally.n, tally.sum = tally.n + 1, tally.sum + took
  tally.least = math.min(tally.least or took, took)
  tally.most = math.max(tally.most or took, took)
end

${summing}
local function turn(r, status, name)
  drop('s:' .. r.status, r.id)
  put('s:' .. status, r.id, 0)
  count(name, r.status, -1)
  count(name, status, 1)
  r.status = status
end

-- Out of the hands of its owner.
local function leave(r)
  if r.owner == '-' then return end
  drop('own:' .. r.owner, r.id)
  if r.suspect == '1' then drop('sus:' .. r.owner, r.id) end
  if r.cancel == '1' then drop('can:' .. r.owner, r.id) end
end

-- With its owner: 0 while its attempt runs, else since when it is in the window; -1 when nobody else may take it over.
local function keep(r, score)
  put('own:' .. r.owner, r.id, score)
  if r.suspect == '1' then put('sus:' .. r.owner, r.id, 0) end
end

local function wait(r, name, how, score, lane)
  if how == 'd' then return put('due', r.id, score) end
  put('vers:' .. name, lane, (lane:match('^-?%d+')))
  put('ready:' .. lane .. ':' .. name, r.seq .. '|' .. r.id, score)
end

-- The end of a task, whose row has its last owner and flags still.
local function finish(r, status, name, key, untilWhen, removable)
  leave(r)
  turn(r, status, name)
  put('n:' .. status .. ':' .. name, r.id, 0)
  put('end:' .. status, r.id, removable)
  if key == '-' then return end
  local now = holder(key)
  if not now or now.id ~= r.id then return end
  if status ~= 'success' then hold(key, false)
  elseif untilWhen ~= '-' then hold(key, { id = r.id, untilWhen = untilWhen }) end
end

local function flushSets()
  for key, members in pairs(sets) do
    local adds, gone = {}, {}
    for member, score in pairs(members) do
      if score == false then gone[#gone + 1] = member
      else
        adds[#adds + 1] = score
        adds[#adds + 1] = member
      end
    end
    for from = 1, #adds, 1000 do call('ZADD', root .. key, unpack(adds, from, math.min(from + 999, #adds))) end
    for from = 1, #gone, 1000 do call('ZREM', root .. key, unpack(gone, from, math.min(from + 999, #gone))) end
  end
end

local function flushTallies()
  local names = {}
  for name, tally in pairs(tallies) do
    local key = root .. 'st:' .. name
    names[#names + 1] = name
    for status, by in pairs(tally.counts) do
      if by ~= 0 then call('HINCRBY', key, status, text(by)) end
    end
    for bucket, by in pairs(tally.buckets) do call('HINCRBY', key, 'b' .. bucket, by) end
    if tally.n > 0 then
      call('HINCRBY', key, 'n', tally.n)
      call('HINCRBY', key, 'sum', text(tally.sum))
      local known = call('HMGET', key, 'min', 'max')
      call('HSET', key, 'min', text(math.min(tonumber(known[1] or tally.least), tally.least)),
        'max', text(math.max(tonumber(known[2] or tally.most), tally.most)))
    end
  end
  for from = 1, #names, 1000 do call('SADD', root .. 'names', unpack(names, from, math.min(from + 999, #names))) end
end

local function flushRows()
  for id, r in pairs(dirty) do
    local fields = { 'h', headOf(r) }
    for name, value in pairs(r.values) do
      fields[#fields + 1] = name
      fields[#fields + 1] = value
      r.removed[name] = nil
    end
    call('HSET', root .. 't:' .. id, unpack(fields))
    for name in pairs(r.removed) do call('HDEL', root .. 't:' .. id, name) end
  end
end

-- Redis refuses the first write of a script, and only that, when memory is full.
local function flush(first)
  local entry = entryOfFeed()
  kinds['names'], kinds['keys'], kinds['feed'] = 'set', 'hash', 'stream'
  if hasEnds() then kinds['ru'], kinds['ru:' .. minute()] = 'zset', 'hash' end
  checkKinds(kinds)
  if first then first() end
  flushRows()
  for key in pairs(heldDirty) do
    local value = held[key]
    if value then call('HSET', root .. 'keys', key, value.id .. ' ' .. value.untilWhen)
    else call('HDEL', root .. 'keys', key) end
  end
  for key, values in pairs(lists) do
    for from = 1, #values, 1000 do call('RPUSH', root .. key, unpack(values, from, math.min(from + 999, #values))) end
    -- A ledger keeps the newest thousand; lines are bounded by who writes them.
    if key:sub(1, 3) == 'at:' then call('LTRIM', root .. key, -1000, -1) end
  end
  for key, fields in pairs(hashes) do
    for from = 1, #fields, 1000 do call('HSET', root .. key, unpack(fields, from, math.min(from + 999, #fields))) end
  end
  for _, key in ipairs(unlinked) do call('UNLINK', root .. key) end
  flushSets()
  writeLists()
  flushTallies()
  sumUp()
  if entry then addToFeed(entry) end
end
`

/** What one instance becomes when it dies, and when it owns nothing any more. */
export const dying = `
local function declareDead(id, state)
  if state ~= 'live' then return end
  local alone, others = '', 0
  for _, member in ipairs(call('ZRANGE', root .. 'sus:' .. id, 0, -1)) do
    local h = call('HGET', root .. 't:' .. member, 'h')
    if h and active(parse(member, h)) then
      alone, others = member, others + 1
    end
  end
  -- Decided here: a reap in several steps would see the others no more.
  call('HSET', root .. 'i:' .. id, 'state', 'dead', 'lone', others == 1 and alone or '')
end

local function buryIfEmpty(id, now)
  if call('ZCARD', root .. 'own:' .. id) > 0 then return false end
  call('HSET', root .. 'i:' .. id, 'state', 'gone')
  call('ZREM', root .. 'peers', id)
  call('ZADD', root .. 'gone', now, id)
  return true
end
`
