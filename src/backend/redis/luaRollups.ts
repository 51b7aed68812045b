/**
 * The Lua that sums ends up, in the script that ends the tasks: a hash for each minute, `ru:` and the minute, in which the fields
 * of a name are its ends by status, and of its durations (`d`) and waits (`w`) the buckets, the sum, the least and the most.
 * `ru` has the minutes that there are.
 */

/** Needs `tellAt`, the time of the script, and `kinds`. */
export const summing = `
local sums, reach = {}, {}

-- In buckets ten percent wide, as internal/durations.ts has them.
local function bucketOf(millis)
  if millis < 1 then return '0' end
  return text(1 + math.floor(math.log(millis) / math.log(1.1)))
end

local function minute() return text(math.floor(tonumber(tellAt) / 60000)) end

local function sumUp(field, by) sums[field] = (sums[field] or 0) + by end

local function addTo(kind, name, bucket, millis)
  sumUp(kind .. bucket .. ' ' .. name, 1)
  sumUp(kind .. 's ' .. name, millis)
  local known = reach[name]
  if not known then
    known = {}
    reach[name] = known
  end
  known[kind .. 'l'] = math.min(known[kind .. 'l'] or millis, millis)
  known[kind .. 'm'] = math.max(known[kind .. 'm'] or millis, millis)
end

-- The end of a task; how long it took, and how long it had waited, each nil where that is not counted.
local function ended(name, status, bucket, millis, waitBucket, waited)
  sumUp(status .. ' ' .. name, 1)
  if millis then addTo('d', name, bucket, millis) end
  if waited then addTo('w', name, waitBucket, waited) end
  kinds['ru:' .. minute()], kinds['ru'] = 'hash', 'zset'
end

-- How long a task had waited that ends otherwise than its owner says.
local function endedAs(name, status, first, meta, bucket, millis)
  if first == '-' then return ended(name, status, bucket, millis) end
  local from = tonumber(meta.createdAt)
  if meta.runAt ~= '-' then from = math.max(from, tonumber(meta.runAt)) end
  local waited = math.max(0, tonumber(first) - from)
  ended(name, status, bucket, millis, bucketOf(waited), waited)
end

local function flushSums()
  if not next(sums) then return end
  local at = minute()
  local key = root .. 'ru:' .. at
  for field, by in pairs(sums) do call('HINCRBY', key, field, text(by)) end
  for name, known in pairs(reach) do
    local fields, changed = {}, {}
    for _, kind in ipairs({ 'dl', 'dm', 'wl', 'wm' }) do fields[#fields + 1] = kind .. ' ' .. name end
    local before = call('HMGET', key, unpack(fields))
    for index, kind in ipairs({ 'dl', 'dm', 'wl', 'wm' }) do
      local value, was = known[kind], tonumber(before[index] or nil)
      local least = kind == 'dl' or kind == 'wl'
      if value and (not was or (least and value < was) or (not least and value > was)) then
        changed[#changed + 1] = fields[index]
        changed[#changed + 1] = text(value)
      end
    end
    if #changed > 0 then call('HSET', key, unpack(changed)) end
  end
  call('ZADD', root .. 'ru', at, at)
end
`
