/**
 * The Lua that sums ends up, in the script that ends the tasks: a hash for each minute, `ru:` and the minute, in which the fields
 * of a name are its ends by status, and of its durations (`d`) and waits (`w`) the buckets, the sum, the least and the most.
 * `ru` has the minutes that there are.
 */

/**
 * What a script counts of a name. Durations are counted by `lasted` already; of an end there is one word more, and buckets of
 * waits are made at the end: many tasks of a batch have waited equally long.
 */
export const summing = `
-- In buckets ten percent wide, as internal/durations.ts has them.
local function bucketOf(millis)
  if millis < 1 then return '0' end
  return text(1 + math.floor(math.log(millis) / math.log(1.1)))
end

-- The end of a task, and how long it had waited: milliseconds as text, empty when it never started.
local function ended(name, status, waited)
  local tally = tallyOf(name)
  tally.ends[status] = (tally.ends[status] or 0) + 1
  if waited ~= '' then tally.waits[waited] = (tally.waits[waited] or 0) + 1 end
end

-- The end of one whose owner does not tell: it first started at \`first\`.
local function endedAs(name, status, first, meta)
  if first == '-' then return ended(name, status, '') end
  local from = tonumber(meta.createdAt)
  if meta.runAt ~= '-' then from = math.max(from, tonumber(meta.runAt)) end
  ended(name, status, text(math.max(0, tonumber(first) - from)))
end

local function minute() return text(math.floor(tonumber(tellAt) / 60000)) end

local function reach(key, name, kind, least, most)
  local fields = { kind .. 'l ' .. name, kind .. 'm ' .. name }
  local known = call('HMGET', key, unpack(fields))
  if not known[1] or least < tonumber(known[1]) then call('HSET', key, fields[1], text(least)) end
  if not known[2] or most > tonumber(known[2]) then call('HSET', key, fields[2], text(most)) end
end

local function sumUpWaits(key, name, waits)
  local buckets, sum, least, most = {}, 0, nil, nil
  for waited, by in pairs(waits) do
    local millis = tonumber(waited)
    local bucket = bucketOf(millis)
    buckets[bucket] = (buckets[bucket] or 0) + by
    sum = sum + millis * by
    least, most = math.min(least or millis, millis), math.max(most or millis, millis)
  end
  if not least then return end
  for bucket, by in pairs(buckets) do call('HINCRBY', key, 'w' .. bucket .. ' ' .. name, by) end
  call('HINCRBY', key, 'ws ' .. name, text(sum))
  reach(key, name, 'w', least, most)
end

local function hasEnds()
  for _, tally in pairs(tallies) do if next(tally.ends) then return true end end
  return false
end

local function sumUp()
  if not hasEnds() then return end
  local at = minute()
  local key = root .. 'ru:' .. at
  for name, tally in pairs(tallies) do
    for status, by in pairs(tally.ends) do call('HINCRBY', key, status .. ' ' .. name, by) end
    if tally.n > 0 then
      for bucket, by in pairs(tally.buckets) do call('HINCRBY', key, 'd' .. bucket .. ' ' .. name, by) end
      call('HINCRBY', key, 'ds ' .. name, text(tally.sum))
      reach(key, name, 'd', tally.least, tally.most)
    end
    sumUpWaits(key, name, tally.waits)
  end
  call('ZADD', root .. 'ru', at, at)
end
`
