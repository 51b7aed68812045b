/**
 * Schedules: a field each of one hash, `lastSlot lastTask` and the rest as JSON. A move reads the field, asks
 * `internal/scheduleRow` what becomes of it, and writes that if the field is still what it was; else it asks again. A slot
 * fires so in one script, together with its task.
 */
import * as Effect from "effect/Effect"
import { pageLimit } from "../../internal/pageLimit.js"
import * as ScheduleRow from "../../internal/scheduleRow.js"
import type {
  ScheduleDefinition,
  SchedulePage,
  ScheduleStore,
  SlotOutcome,
  SlotRequest,
  StoredSchedule
} from "../../ScheduleStore.js"
import { InstanceFenced, type TaskBackendError } from "../../TaskError.js"
import type { TaskId } from "../../TaskId.js"
import { counting } from "./luaErrors.js"
import { reading, writing } from "./luaRows.js"
import { changes } from "./luaWrite.js"
import * as Rows from "./rows.js"
import { type Ask, asList, asText, asTexts, define, type Reply } from "./script.js"
import { addChange } from "./write.js"

const textOf = ({ lastSlot, lastTask, ...rest }: StoredSchedule): string =>
  `${lastSlot ?? "-"} ${lastTask ?? "-"} ${JSON.stringify(rest)}`

const fromText = (text: string): StoredSchedule => {
  const [slot, task] = text.split(" ", 2)
  // safe (both): what textOf wrote
  const rest: Omit<StoredSchedule, "lastSlot" | "lastTask"> = JSON.parse(text.slice(slot!.length + task!.length + 2))
  return { ...rest, lastSlot: slot === "-" ? null : Number(slot), lastTask: task === "-" ? null : task as TaskId }
}

/** As it stands, and the text that it stands as: what a move is conditional on. */
interface Found {
  readonly text: string
  readonly schedule: StoredSchedule
}

const foundIn = (reply: Reply | undefined): Found | null =>
  typeof reply === "string" ? { text: reply, schedule: fromText(reply) } : null

const get = define<string, Found | null>({
  name: "schedules.get",
  lua: [reading, `return call('HGET', root .. 'schedules', ARGV[1])`],
  args: (name) => [Rows.nameText(name)],
  answer: foundIn
})

const list = define<
  { readonly cursor: string | undefined; readonly limit: number },
  ReadonlyArray<StoredSchedule>
>({
  name: "schedules.list",
  lua: [
    reading,
    `
local names = call('ZRANGEBYLEX', root .. 'schedules:names', ARGV[1], '+', 'LIMIT', 0, ARGV[2])
return #names == 0 and {} or call('HMGET', root .. 'schedules', unpack(names))
`
  ],
  args: ({ cursor, limit }) => [cursor === undefined ? "-" : `(${cursor}`, String(limit + 1)],
  answer: (reply) => asTexts(reply).map(fromText)
})

interface Move {
  readonly name: string
  readonly before: Found | null
  readonly after: StoredSchedule
}

/** Whether it was what it was believed to be, and so was moved. */
const move = define<Move, boolean>({
  name: "schedules.move",
  lua: [
    reading,
    `
local name, before, after = ARGV[1], ARGV[2], ARGV[3]
if (call('HGET', root .. 'schedules', name) or '') ~= before then return 0 end
call('ZADD', root .. 'schedules:names', 0, name)
call('HSET', root .. 'schedules', name, after)
return 1
`
  ],
  args: ({ after, before, name }) => [Rows.nameText(name), before?.text ?? "", textOf(after)],
  answer: (reply) => reply === 1
})

const remove = define<string, boolean>({
  name: "schedules.remove",
  lua: [
    reading,
    `
call('ZREM', root .. 'schedules:names', ARGV[1])
return call('HDEL', root .. 'schedules', ARGV[1])
`
  ],
  args: (name) => [Rows.nameText(name)],
  answer: (reply) => reply === 1
})

/** Null when the instance is not alive. */
const due = define<SlotRequest, { readonly found: Found | null } | null>({
  name: "fireSlot",
  lua: [
    reading,
    `
if call('HGET', root .. 'i:' .. ARGV[1], 'state') ~= 'live' then return false end
return { call('HGET', root .. 'schedules', ARGV[2]) }
`
  ],
  args: ({ instance, name }) => [instance, Rows.nameText(name)],
  answer: (reply) => reply === null ? null : { found: foundIn(asList(reply)[0]) }
})

// After the changes of a write, whose arguments come first.
const firing = `
local name, before, slot, skips = ARGV[7], ARGV[8], ARGV[9], ARGV[10] == '1'
if call('HGET', root .. 'i:' .. instance, 'state') ~= 'live' then return '!' end
if call('HGET', root .. 'schedules', name) ~= before then return '?' end
local last, rest = before:match('^%S+ (%S+) (.*)$')

local function settle(task)
  setFields('schedules', name, slot .. ' ' .. task .. ' ' .. rest)
  flush(function()
    -- The first write of a script is the one that Redis refuses when memory is full: new tasks are.
    if seq then call('SET', root .. 'seq', text(seq)) end
  end)
end

local running = skips and last ~= '-' and row(last)
if running and not isEnd[running.status] then
  settle(last)
  return 'O' .. last
end
local outcome = kindsOfChange[arg()]()
settle(outcome:sub(1, 1) == 'D' and outcome:sub(2) or ARGV[11])
return outcome
`

interface Slot {
  readonly request: SlotRequest
  readonly before: Found
}

/** Null when the schedule is not what it was believed to be. */
const fire = define<Slot, SlotOutcome | "Fenced" | null>({
  name: "fireSlot",
  lua: [reading, writing, counting, changes, firing],
  args: ({ before, request: { instance, name, now, overlap, record, slot } }) => {
    const words: Array<string> = []
    addChange(words, { _tag: "Insert", record }, { instance, now })
    words.push("")
    const batch = [String(now), instance, "", "", "1", words.join("\n")]
    return [...batch, Rows.nameText(name), before.text, String(slot), overlap === "skip" ? "1" : "0", record.taskId]
  },
  answer: (reply) => {
    const word = asText(reply)
    switch (word[0]) {
      case "!":
        return "Fenced"
      case "?":
        return null
      case "O":
        return { _tag: "Overlapping", running: word.slice(1) as TaskId } // safe (both): ids that were stored as such
      case "D":
        return { _tag: "Duplicate", taskId: word.slice(1) as TaskId }
      default:
        return { _tag: "Fired" }
    }
  }
})

export const make = (ask: Ask): ScheduleStore => {
  // Each time it is asked again somebody else's move was made.
  const moved = (
    name: string,
    to: (before: StoredSchedule | null) => StoredSchedule | null
  ): Effect.Effect<StoredSchedule | null, TaskBackendError> =>
    Effect.gen(function*() {
      const before = yield* ask(get, name)
      const after = to(before?.schedule ?? null)
      if (after === null || after === before?.schedule) return after
      return (yield* ask(move, { name, before, after })) ? after : yield* moved(name, to)
    })

  const change = (to: (schedule: StoredSchedule, now: number) => StoredSchedule) => (name: string, now: number) =>
    moved(name, (before) => before === null ? null : to(before, now))

  const fireSlot = (request: SlotRequest): Effect.Effect<SlotOutcome, TaskBackendError | InstanceFenced> =>
    Effect.gen(function*() {
      const fenced = new InstanceFenced({ instance: request.instance })
      const asked = yield* ask(due, request)
      if (asked === null) return yield* Effect.fail(fenced)
      const look = ScheduleRow.look(asked.found?.schedule ?? null, request)
      if (look._tag !== "Due") return look
      if (asked.found === null) return { _tag: "NotFound" }
      const outcome = yield* ask(fire, { request, before: asked.found })
      if (outcome === "Fenced") return yield* Effect.fail(fenced)
      return outcome ?? (yield* fireSlot(request))
    })

  return {
    define: (definition: ScheduleDefinition, now: number) =>
      Effect.map(
        moved(definition.name, (before) => ScheduleRow.define(before, definition, now)),
        (schedule) => schedule! // safe: a definition always comes to something
      ),
    get: (name) => Effect.map(ask(get, name), (found) => found?.schedule ?? null),
    list: ({ cursor, limit: asked }) => {
      const limit = pageLimit(asked)
      return Effect.map(ask(list, { cursor, limit }), (found): SchedulePage => {
        const items = found.slice(0, limit)
        const nextCursor = found.length > limit ? Rows.nameText(items[limit - 1]!.name) : null
        return { items, nextCursor }
      })
    },
    pause: change(ScheduleRow.pause),
    resume: change(ScheduleRow.resume),
    retire: change(ScheduleRow.retire),
    remove: (name) => ask(remove, name),
    fireSlot
  }
}
