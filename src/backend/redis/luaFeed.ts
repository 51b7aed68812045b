/**
 * The Lua of the feed: what a script tells of the rows it changed, as one entry of one stream.
 *
 * Scripts run one after the other, so one number for everything is enough: `n-at` is the number of the last change that was
 * told and a time that nobody compares. Each entry names the one before it. A reader whose place is not the one that the next
 * entry names has missed something: it was pruned, or a server took over that had not heard of it.
 *
 * A line: id, status, owner (`=` the teller), cancel, when due, claim, attempts, what it retries, name.
 */

/** About how many changes are kept. */
export const keptChanges = 100_000

export const telling = `
-- There are toldMany more lines than texts here; the one text of toldText stands in front of them.
local told, tellAs, tellAt, toldMany, toldText = {}, '', '0', 0, ''

local function tellRow(r, meta)
  local due = r.status == 'pending' and meta.runAt or r.status == 'running' and r.next or '-'
  told[#told + 1] = table.concat({ r.id, r.status, r.owner == tellAs and '=' or r.owner, r.cancel, due, r.claim,
    r.rest:match('^%S+'), meta.retryOf, meta.name }, ' ')
end

-- What is told cannot fail any more behind this.
local function entryOfFeed()
  toldMany = toldMany + #told
  if toldMany == 0 or tellAs == '' then return nil end
  local last = call('GET', root .. 'feed:last')
  if not last then
    local found = call('XREVRANGE', root .. 'feed', '+', '-', 'COUNT', 1)
    last = found[1] and found[1][1] or '0-0'
  end
  local number = tonumber(last:match('^(%d+)-%d+$')) + toldMany
  return { last = last, oldest = text(math.max(0, number - ${keptChanges})),
    id = text(number) .. '-' .. text(math.max(0, math.floor(tonumber(tellAt)))) }
end

local function addToFeed(entry)
  call('XADD', root .. 'feed', 'MINID', '~', entry.oldest, entry.id, 'by', tellAs, 'at', tellAt, 'last', entry.last,
    'told', toldText .. (toldText ~= '' and #told > 0 and '\\n' or '') .. table.concat(told, '\\n'))
  call('SET', root .. 'feed:last', entry.id)
end
`
