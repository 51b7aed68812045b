/**
 * The Lua of the numbered write: what each kind of change does to the rows it meets, and the fence and the number in front.
 */
import { fence } from "./luaPlain.js"

// Each kind of change reads its own arguments, all of them, and answers a word. `now` is the batch's.
export const changes = `
${fence}
local packed, at = ARGV[6], 1
tellAs, tellAt = instance, now
local function arg()
  local behind = packed:find('\\n', at, true)
  local value = packed:sub(at, behind - 1)
  at = behind + 1
  return value
end

-- Of a change that was applied, and of one that a cancel turned into an end.
local function tell(id, line, name) told[#told + 1] = id .. ' ' .. line .. ' ' .. name end
local function tellCancelled(id, line, name)
  tell(id, 'cancelled - 1 - ' .. line:match('^%S+ %S+ %S+ %S+ (.*)$'), name)
end

local function nextSeq()
  if not seq then seq = tonumber(call('GET', root .. 'seq') or 0) end
  seq = seq + 1
  return string.format('%014.0f', seq)
end

local function become(r, words, rest)
  r.status, r.owner, r.claim, r.next, r.cancel, r.suspect = words:match('^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$')
  r.rest = rest
end

local function values()
  local has, found = arg(), {}
  for letter in has:gmatch('%a') do found[letter] = arg() end
  return has, found
end

local function setValues(r, has, found)
  for letter in r.has:gmatch('%a') do r.removed[letter] = true end
  for letter, value in pairs(found) do r.values[letter] = value end
  for letter in pairs(r.values) do
    if #letter == 1 and ('epr'):find(letter) and not found[letter] then r.values[letter] = nil end
  end
  r.has = has
end

local function mine(id, owner, claim, running)
  local r = row(id)
  if not r or r.owner == '-' or r.owner ~= owner or r.claim ~= claim or active(r) ~= running then return nil end
  return r
end

local retryable = { failed = true, interrupted = true, cancelled = true }

local function insert()
  local id, name, words, counts, rest = arg(), arg(), arg(), arg(), arg()
  local has, found = values()
  local m, f, extra, key, retryOf = arg(), arg(), arg(), arg(), arg()
  local how, score, readyLane, line = arg(), arg(), arg(), arg()
  local original = nil
  if retryOf ~= '' then
    original = row(retryOf)
    if not original then return 'N- -' end
    if original.retriedAs ~= '-' or not retryable[original.status] then
      return 'N' .. original.status .. ' ' .. original.retriedAs
    end
  end
  if key ~= '-' then
    local known = holder(key)
    if known and (known.untilWhen == '-' or tonumber(known.untilWhen) > tonumber(now)) then return 'D' .. known.id end
  end
  if row(id) then error('task ' .. id .. ' is there already') end
  local r = { id = id, seq = nextSeq(), has = '.', retriedAs = '-' }
  become(r, words, rest)
  r.lines, r.bytes = counts:match('^(%S+) (%S+)$')
  rows[id] = r
  touch(r)
  setValues(r, has, found)
  r.values.m, r.values.f = m, f
  if extra ~= '' then r.values.x = extra end
  for index in extra:gmatch('%S+') do put(index, id, 0) end
  put('s:' .. r.status, id, 0)
  count(name, r.status, 1)
  if key ~= '-' then hold(key, { id = id, untilWhen = '-' }) end
  if how == 'o' then keep(r, score) else wait(r, name, how, score, readyLane) end
  if original then
    touch(original)
    original.retriedAs = id
  end
  tell(id, line, name)
  return 'A'
end

local function start()
  local id, owner, claim, name, words, rest, line = arg(), arg(), arg(), arg(), arg(), arg(), arg()
  local r = mine(id, owner, claim, false)
  if not r or r.cancel == '1' then return 'L' end
  touch(r)
  leave(r)
  local before = r.status
  become(r, words, rest)
  if r.status ~= before then
    r.status = before
    turn(r, 'running', name)
  end
  keep(r, 0)
  tell(id, line, name)
  return 'A'
end

local function unclaim()
  local id, owner, claim, name, how, score, readyLane, line = arg(), arg(), arg(), arg(), arg(), arg(), arg(), arg()
  local r = mine(id, owner, claim, false)
  if not r then return 'L' end
  touch(r)
  leave(r)
  r.owner = '-'
  wait(r, name, how, score, readyLane)
  tell(id, line, name)
  return 'A'
end

local function release()
  local id, owner, claim, name, words, rest = arg(), arg(), arg(), arg(), arg(), arg()
  local has, found = values()
  local how, score, readyLane, entry, key, endWords, endRest = arg(), arg(), arg(), arg(), arg(), arg(), arg()
  local waited, line = arg(), arg()
  local r = mine(id, owner, claim, true)
  if not r then return 'L' end
  touch(r)
  setValues(r, has, found)
  push('at:' .. id, entry)
  local before, asked = r.status, r.cancel == '1'
  if asked then
    finish(r, 'cancelled', name, key, '-', now)
    ended(name, 'cancelled', waited)
    become(r, endWords, endRest)
    tellCancelled(id, line, name)
    return 'C'
  end
  leave(r)
  become(r, words, rest)
  if r.status ~= before then
    local status = r.status
    r.status = before
    turn(r, status, name)
  end
  wait(r, name, how, score, readyLane)
  tell(id, line, name)
  return 'A'
end

local function finishing()
  local id, owner, claim, name, words, rest = arg(), arg(), arg(), arg(), arg(), arg()
  local has, found = values()
  local status, key, untilWhen, removable, bucket, millis = arg(), arg(), arg(), arg(), arg(), arg()
  local waited, fingerprint, sample, line = arg(), arg(), arg(), arg()
  local r = mine(id, owner, claim, true)
  if not r then return 'L' end
  touch(r)
  setValues(r, has, found)
  finish(r, status, name, key, untilWhen, removable)
  become(r, words, rest)
  if bucket ~= '' then lasted(name, bucket, millis) end
  ended(name, status, waited)
  if fingerprint ~= '' then failed(r, name, fingerprint, sample, removable) end
  tell(id, line, name)
  return 'A'
end

local isEnd = { success = true, failed = true, interrupted = true, cancelled = true }

-- However many lines a batch has for a task, one word of them will do: how many there are, unless it had ended before.
local logged, loggedIds = {}, {}
local function tellLines()
  for _, id in ipairs(loggedIds) do
    local r = logged[id]
    told[#told + 1] = id .. ' L ' .. (r and r.lines or '-')
  end
end

local function log()
  local id, line, size = arg(), arg(), arg()
  local r = row(id)
  if not r then return 'L' end
  push('lg:' .. id, line)
  if logged[id] == nil then
    loggedIds[#loggedIds + 1] = id
    logged[id] = (not isEnd[r.status] or dirty[id]) and r or false
  end
  if not isEnd[r.status] then
    touch(r)
    r.lines, r.bytes = plus(r.lines, 1), plus(r.bytes, size)
  end
  return 'A'
end

local function progress()
  local id, owner, claim, value, line = arg(), arg(), arg(), arg(), arg()
  local r = mine(id, owner, claim, true)
  if not r then return 'L' end
  touch(r)
  r.values.p = value
  told[#told + 1] = id .. ' P ' .. claim .. ' ' .. line
  if not r.has:find('p') then r.has = r.has .. 'p' end
  return 'A'
end

local kindsOfChange = { I = insert, S = start, U = unclaim, R = release, F = finishing, L = log, P = progress }
`

/** The lane's number and the fence, then the changes, then what they wrote. */
export const main = `
local before = answered()
if before then return before end
if not readPlain(kinds) then return '~' end
-- What is plain is told in pieces, each as one: those in front of each of the others, and those behind the last.
local pieces = plainTold:gmatch('([^\\f]*)\\f')
toldMany = plainMany
local function tellPlain()
  local piece = pieces()
  if not piece or piece == '' then return end
  told[#told + 1], toldMany = piece, toldMany - 1
end

local answers, plain = {}, true
for index = 1, many do
  tellPlain()
  answers[index] = kindsOfChange[arg()]()
  if answers[index] ~= 'A' then plain = false end
end
tellPlain()
tellLines()
boundGroups()
-- Only a batch that was not simply applied needs a word for each of its changes.
local answer = plain and text(plainMany + many) or (plainMany > 0 and ':' or '=') .. table.concat(answers, ',')
flush(function()
  -- The first write of a script is the one that Redis refuses when memory is full: new tasks are, ends are not.
  if not seq then call('HDEL', me, '-') end
  call('HSET', me, 'l:' .. lane, number .. ' ' .. answer)
  if seq then call('SET', root .. 'seq', text(seq)) end
  writePlain()
end)
return answer
`
