/** Removing what ended, with everything that belongs to it: no index, line or key of it stays. */
import type { Terminal } from "../../TaskStatus.js"
import { reading, writing } from "./luaRows.js"
import { asText, define } from "./script.js"

const removing = `
local status, cutoff, limit = ARGV[1], ARGV[2], ARGV[3]
local ids = call('ZRANGEBYSCORE', root .. 'end:' .. status, '-inf', '(' .. cutoff, 'LIMIT', 0, limit)
for _, id in ipairs(ids) do
  local found = call('HMGET', root .. 't:' .. id, 'm', 'x')
  drop('end:' .. status, id)
  drop('s:' .. status, id)
  if found[1] then
    local meta = parseMeta(found[1])
    drop('n:' .. status .. ':' .. meta.name, id)
    count(meta.name, status, -1)
    if meta.key ~= '-' then
      local known = holder(meta.key)
      if known and known.id == id then hold(meta.key, false) end
    end
  end
  for index in (found[2] or ''):gmatch('%S+') do drop(index, id) end
end
if #ids > 0 then
  flush(function()
    -- The first write is one that Redis allows when memory is full.
    for _, id in ipairs(ids) do call('UNLINK', root .. 't:' .. id, root .. 'lg:' .. id, root .. 'at:' .. id) end
  end)
end
return text(#ids)
`

/** Removes some that ended in this status and may go before the cutoff; answers how many. */
export const remove = define<
  { readonly status: Terminal; readonly cutoff: number; readonly limit: number },
  number
>({
  name: "deleteBefore",
  lua: [reading, writing, removing],
  args: ({ cutoff, limit, status }) => [status, String(cutoff), String(limit)],
  answer: (reply) => Number(asText(reply))
})

const counting = `
local cutoff, most, found = ARGV[1], tonumber(ARGV[2]), 0
for index = 3, #ARGV do
  found = found + tonumber(call('ZCOUNT', root .. 'end:' .. ARGV[index], '-inf', '(' .. cutoff))
end
return text(math.min(found, most))
`

/** How many that would be in all of these statuses, up to a bound: a look at each index, whatever is in it. */
export const countable = define<
  { readonly statuses: ReadonlyArray<Terminal>; readonly cutoff: number; readonly most: number },
  number
>({
  name: "countBefore",
  lua: [reading, counting],
  args: ({ cutoff, most, statuses }) => [String(cutoff), String(most), ...statuses],
  answer: (reply) => Number(asText(reply))
})
