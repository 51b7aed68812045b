/** Pauses: one hash, of names to who and since when. Claims read its fields, heartbeats tell them. */
import * as Effect from "effect/Effect"
import {
  type Control,
  type ControlStore,
  type ControlTarget,
  maxPausedNames,
  type Paused,
  type PauseOutcome
} from "../../ControlStore.js"
import { reading } from "./luaRows.js"
import * as Rows from "./rows.js"
import { type Ask, asText, asTexts, define } from "./script.js"

// Names are JSON text, so none of them is this.
const everything = "*"

/** The Lua of that. */
export const pausedNames = `local everything = '${everything}'`

const fieldOf = (target: ControlTarget): string =>
  target._tag === "Everything" ? everything : Rows.nameText(target.name)

/** Of the fields of the hash. */
export const pausedFrom = (fields: ReadonlyArray<string>): Paused => ({
  everything: fields.includes(everything),
  names: fields.filter((field) => field !== everything).map(Rows.nameFrom)
})

interface PauseRequest {
  readonly target: ControlTarget
  readonly by: string
  readonly now: number
}

const pause = define<PauseRequest, PauseOutcome>({
  name: "controls.pause",
  lua: [
    reading,
    pausedNames,
    `
local key, field = root .. 'paused', ARGV[1]
if call('HEXISTS', key, field) == 1 then return 'AlreadyPaused' end
local names = call('HLEN', key) - call('HEXISTS', key, everything)
if field ~= everything and names >= ${maxPausedNames} then return 'TooMany' end
-- A removal first: pausing is what one wants to do when memory is full.
call('HDEL', key, '-')
call('HSET', key, field, ARGV[2])
return 'Paused'
`
  ],
  args: ({ by, now, target }) => [fieldOf(target), JSON.stringify([now, by])],
  answer: (reply) => asText(reply) as PauseOutcome // safe: one of the words above
})

const resume = define<ControlTarget, boolean>({
  name: "controls.resume",
  lua: [reading, `return call('HDEL', root .. 'paused', ARGV[1])`],
  args: (target) => [fieldOf(target)],
  answer: (reply) => reply === 1
})

const list = define<null, ReadonlyArray<Control>>({
  name: "controls.list",
  lua: [reading, `return call('HGETALL', root .. 'paused')`],
  args: () => [],
  answer: (reply) => {
    const texts = asTexts(reply)
    const controls: Array<Control> = []
    for (let at = 0; at < texts.length; at += 2) {
      const field = texts[at]!
      const [since, by] = JSON.parse(texts[at + 1]!) as [number, string] // safe: what was written
      const target = field === everything
        ? { _tag: "Everything" } as const
        : { _tag: "Task", name: Rows.nameFrom(field) } as const
      controls.push({ target, since, by })
    }
    return controls.sort((a, b) => b.since - a.since)
  }
})

export const make = (ask: Ask): ControlStore => ({
  pause: (target, by, now) => ask(pause, { target, by, now }),
  resume: (target) => ask(resume, target),
  list: Effect.suspend(() => ask(list, null))
})
