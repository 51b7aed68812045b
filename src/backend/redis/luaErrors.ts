/**
 * The Lua that counts failures by fingerprint, in the script that ends the task. A group is one hash: scripts run one after
 * the other, so nobody waits for it. `ers` and `ern` have the groups in the order of when they were seen last, and of how
 * many they are, largest first.
 */
import { maxErrorGroups } from "../../ErrorStore.js"

/** Where a group stands: what is larger stands first, and what is equal stands in the order of its fingerprint. */
export const ordering = `
local function placeOf(value, fingerprint)
  return string.format('%015.0f', 999999999999999 - math.max(0, tonumber(value))) .. '|' .. fingerprint
end
`

export const counting = `${ordering}
local groups, newGroups = {}, 0

local function failed(r, name, fingerprint, sample, at)
  local key, group = 'eg:' .. fingerprint, groups[fingerprint]
  if not group then
    local known = call('HMGET', root .. key, 'n', 'first', 'last')
    group = { n = tonumber(known[1] or 0), first = known[2] or at, last = known[3] or at }
    if known[1] then
      drop('ern', placeOf(group.n, fingerprint))
      drop('ers', placeOf(group.last, fingerprint))
    else newGroups = newGroups + 1 end
    groups[fingerprint] = group
  end
  local latest = tonumber(at) >= tonumber(group.last)
  drop('ern', placeOf(group.n, fingerprint))
  drop('ers', placeOf(group.last, fingerprint))
  group.n = group.n + 1
  if tonumber(at) < tonumber(group.first) then group.first = at end
  if latest then
    group.last = at
    setFields(key, 'task', r.id, 'sample', sample)
  end
  setFields(key, 'name', name, 'n', text(group.n), 'first', group.first, 'last', group.last)
  put('ern', placeOf(group.n, fingerprint), 0)
  put('ers', placeOf(group.last, fingerprint), 0)
  -- Of which group a task is belongs to its further indexes: it leaves them when it is removed.
  local index = 'er:' .. fingerprint
  local extra = r.values.x or call('HGET', root .. 't:' .. r.id, 'x') or ''
  r.values.x = extra == '' and index or extra .. ' ' .. index
  put(index, r.id, 0)
end

-- Words at random in messages would make groups without end: the ones that were not seen for longest go.
local function boundGroups()
  if newGroups == 0 then return end
  local over = call('ZCARD', root .. 'ers') + newGroups - ${maxErrorGroups}
  if over <= 0 then return end
  for _, member in ipairs(call('ZRANGE', root .. 'ers', -over, -1)) do
    local fingerprint = member:match('|(.*)$')
    if not groups[fingerprint] then
      drop('ers', member)
      drop('ern', placeOf(call('HGET', root .. 'eg:' .. fingerprint, 'n') or 0, fingerprint))
      unlinked[#unlinked + 1] = 'eg:' .. fingerprint
    end
  end
end
`
