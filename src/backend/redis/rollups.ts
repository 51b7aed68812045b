/**
 * Ended tasks as they are summed up: read in steps, and folded as they get old. Scripts run one after the other, so each step
 * is bounded by how many fields it goes through; `rf` counts the folds, for readers that one came between two steps of.
 */
import * as Effect from "effect/Effect"
import * as Rollups from "../../internal/rollups.js"
import type { TaskBackendError } from "../../TaskError.js"
import type { Rollup, RollupQuery } from "../../TaskRollup.js"
import type { Terminal } from "../../TaskStatus.js"
import { reading } from "./luaRows.js"
import * as Rows from "./rows.js"
import { type Ask, asList, asText, asTexts, define } from "./script.js"

// Fields that one script goes through, at least those of one minute.
const fieldsRead = 20_000
const fieldsFolded = 2_000
const foldSteps = 20
// A reader that folds came in between of begins anew so many times.
const tries = 5

interface Part {
  readonly folds: string
  /** The last minute that was read; null at the end. */
  readonly last: string | null
  /** Slot, field of one name or of all, and value in turn. */
  readonly flat: ReadonlyArray<string>
}

const part = define<
  { readonly query: RollupQuery; readonly slots: Rollups.Slots; readonly after: string | null },
  Part
>({
  name: "rollups",
  lua: [
    reading,
    `
local from, to, width, byTask, budget = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5])
local whole = ARGV[6] == '1'
local names = {}
for at = 7, #ARGV do names[ARGV[at]] = true end
local found, answers, looked, last = {}, {}, 0, ''
for _, minute in ipairs(call('ZRANGEBYSCORE', root .. 'ru', from, to)) do
  if looked >= budget then break end
  last = minute
  local fields = call('HGETALL', root .. 'ru:' .. minute)
  local slot = tonumber(minute)
  slot = text(slot - slot % width)
  looked = looked + #fields / 2
  for at = 1, #fields, 2 do
    local code, of = fields[at]:match('^(%S+) (.*)$')
    if #ARGV < 7 or names[of] then
      -- Without histograms all buckets are one.
      if not whole then code = code:gsub('^([dw])%d+$', '%1n') end
      local key = slot .. ' ' .. code .. (byTask and ' ' .. of or '')
      local value, before = tonumber(fields[at + 1]), found[key]
      if not before then found[key] = value
      elseif code == 'dl' or code == 'wl' then found[key] = math.min(before, value)
      elseif code == 'dm' or code == 'wm' then found[key] = math.max(before, value)
      else found[key] = before + value end
    end
  end
end
for key, value in pairs(found) do
  answers[#answers + 1] = key
  answers[#answers + 1] = text(value)
end
return { call('GET', root .. 'rf') or '0', looked >= budget and last or '', answers }
`
  ],
  args: ({ after, query, slots }) => [
    after === null ? String(slots.first) : `(${after}`,
    `(${slots.end}`,
    String(Rollups.dividerOf(slots)),
    query.byTask === true ? "1" : "0",
    String(fieldsRead),
    query.histograms === false ? "0" : "1",
    ...(Rollups.namesOf(query) ?? []).map(Rows.nameText)
  ],
  answer: (reply) => {
    const [folds, last, flat] = asList(reply)
    return { folds: asText(folds!), last: last === "" ? null : asText(last!), flat: asTexts(flat!) }
  }
})

const add = (
  found: ReturnType<typeof Rollups.gathering>,
  slots: Rollups.Slots,
  key: string,
  value: number
): void => {
  const [, slot, code, name] = /^(\S+) (\S+)(?: (.*))?$/s.exec(key)! as unknown as [string, string, string, string?] // safe: as the script wrote it
  const into = found.of(Rollups.beginOf(slots, Number(slot)), name === undefined ? null : Rows.nameFrom(name))
  if (code in into.ends) {
    into.ends[code as Terminal] += value // safe: just asked
    return
  }
  const sums = code.startsWith("d") ? into.durations : into.waits
  const what = code.slice(1)
  if (what === "s") Rollups.addSum(sums, value, null, null)
  else if (what === "l") Rollups.addSum(sums, 0, value, null)
  else if (what === "n") Rollups.addCount(sums, value)
  else if (what === "m") Rollups.addSum(sums, 0, null, value)
  else Rollups.addBucket(sums, Number(what), value)
}

/** `rollups` of the port. */
export const read = (ask: Ask) => (query: RollupQuery): Effect.Effect<ReadonlyArray<Rollup>, TaskBackendError> =>
  Effect.gen(function*() {
    const slots = Rollups.slotsOf(query)
    if (slots === null) return []
    for (let left = tries;; left -= 1) {
      const found = Rollups.gathering()
      const folds = new Set<string>()
      let after: string | null = null
      do {
        const one: Part = yield* ask(part, { query, slots, after })
        folds.add(one.folds)
        for (let at = 0; at < one.flat.length; at += 2) add(found, slots, one.flat[at]!, Number(one.flat[at + 1]))
        after = one.last
      } while (after !== null)
      if (folds.size === 1 || left === 1) return found.all()
    }
  })

/** Folds what is older than `before` and stands alone; answers how many fields. A `width` of 0 is all time. */
const fold = define<{ readonly from: number; readonly before: number; readonly width: number }, number>({
  name: "maintain",
  lua: [
    reading,
    `
local from, before, width, budget = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local looked = 0
for _, minute in ipairs(call('ZRANGEBYSCORE', root .. 'ru', from, '(' .. before)) do
  local at = tonumber(minute)
  local place = width == 0 and 0 or at - at % width
  if place ~= at and looked < budget then
    if looked == 0 then
      -- The first write is one that Redis allows when memory is full.
      call('HDEL', root .. 'ru:' .. minute, '-')
      call('INCR', root .. 'rf')
    end
    local key = root .. 'ru:' .. text(place)
    local fields = call('HGETALL', root .. 'ru:' .. minute)
    looked = looked + 1 + #fields / 2
    for index = 1, #fields, 2 do
      local code = fields[index]:match('^%S+')
      local bound = (code == 'dl' or code == 'wl') and -1 or (code == 'dm' or code == 'wm') and 1 or 0
      if bound == 0 then call('HINCRBY', key, fields[index], fields[index + 1])
      else
        local known = call('HGET', key, fields[index])
        if not known or tonumber(fields[index + 1]) * bound > tonumber(known) * bound then
          call('HSET', key, fields[index], fields[index + 1])
        end
      end
    end
    call('UNLINK', root .. 'ru:' .. minute)
    call('ZREM', root .. 'ru', minute)
    call('ZADD', root .. 'ru', text(place), text(place))
  end
end
return text(looked)
`
  ],
  args: ({ before, from, width }) => [String(from), String(before), String(width), String(fieldsFolded)],
  answer: (reply) => Number(asText(reply))
})

/** Folds minutes into hours, and old hours into one sum. */
export const maintain = (ask: Ask, now: number): Effect.Effect<void, TaskBackendError> =>
  Effect.gen(function*() {
    const minute = Rollups.minuteOf(now)
    const [hours, minutes] = [minute - Rollups.hoursKept, minute - Rollups.minutesKept]
    for (let step = 0; step < foldSteps; step += 1) {
      if ((yield* ask(fold, { from: hours, before: minutes, width: 60 })) === 0) break
    }
    for (let step = 0; step < foldSteps; step += 1) {
      if ((yield* ask(fold, { from: 1, before: hours, width: 0 })) === 0) break
    }
  })
