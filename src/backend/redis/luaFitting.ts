/** The Lua that says whether a task is what a query asks for, beyond the index that it was found in. */

/** Makes it of six arguments from `first` on; the further indexes that a task must be in are those from `from` to `to`. */
export const fitting = `
local function fitting(first, from, to)
  local statuses, name, source, priority, since, before = ARGV[first], ARGV[first + 1], ARGV[first + 2], ARGV[first + 3],
    ARGV[first + 4], ARGV[first + 5]
  local function isInAll(id)
    for index = from, to do
      if not call('ZSCORE', root .. ARGV[index], id) then return false end
    end
    return true
  end
  return function(r, meta)
    return isInAll(r.id) and (statuses == '' or statuses:find(' ' .. r.status .. ' ', 1, true))
      and (name == '' or name == meta.name)
      and (source == '' or source == meta.source) and (priority == '' or priority == meta.priority)
      and (since == '' or tonumber(meta.createdAt) >= tonumber(since))
      and (before == '' or tonumber(meta.createdAt) < tonumber(before))
  end
end
`
