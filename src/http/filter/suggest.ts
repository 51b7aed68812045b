/** How a filter text may go on at the caret. Plain TypeScript, also for browsers. */
import { printValue } from "./print.js"
import { choices, hints, isKey, type Key, keys, maxLength } from "./term.js"

/** What was seen of tasks, most useful first; what is absent is not offered. */
export interface SuggestFacts {
  readonly tasks?: ReadonlyArray<string>
  /** The values of each tag. */
  readonly tags?: Readonly<Record<string, ReadonlyArray<string>>>
  readonly instances?: ReadonlyArray<string>
  readonly schedules?: ReadonlyArray<string>
  /** Default: all that are shown. */
  readonly statuses?: ReadonlyArray<string>
}

/** Replace the text from `from` to `to` by `insert`. */
export interface Suggestion {
  readonly insert: string
  /** What is shown of it. */
  readonly label: string
  readonly kind: "key" | "value"
  readonly from: number
  readonly to: number
}

const maxSuggestions = 20
const space = /\s/
const spans = [">1s", ">10s", ">1m", ">1h"]
const agos = ["15m", "1h", "6h", "1d", "7d", "30d"]

interface Candidate {
  readonly insert: string
  readonly label: string
  readonly kind: "key" | "value"
  /** What is compared with what was typed. */
  readonly name: string
}

/** Which characters are outside of quotes, and where quotes begin that are not closed. */
const outsides = (text: string): { readonly outside: ReadonlyArray<boolean>; readonly open: number | null } => {
  const outside: Array<boolean> = []
  let open: number | null = null
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index]
    outside[index] = open === null && char !== "\""
    if (char === "\"") open = open === null ? index : null
    else if (char === "\\" && open !== null && index + 1 < text.length) outside[index += 1] = false
  }
  return { outside, open }
}

const unquoted = (text: string): string => text.replace(/\\(.)|"/gs, "$1")

const value = (name: string, insert = name): Candidate => ({ insert, label: name, kind: "value", name })
const printed = (names: ReadonlyArray<string> = []): ReadonlyArray<Candidate> =>
  names.map((name) => value(name, printValue(name)))

const keysAndTasks = (typed: string, facts: SuggestFacts): ReadonlyArray<Candidate> => [
  ...keys.map((key): Candidate => {
    const insert = key === "args" ? "args." : `${key}:`
    return { insert, label: `${insert} ${hints[key]}`, kind: "key", name: insert }
  }),
  // A person who begins with a name means the task.
  ...typed.length < 2 ? [] : (facts.tasks ?? []).map((name): Candidate => {
    const insert = `task:${printValue(name)}`
    return { insert, label: insert, kind: "value", name }
  })
]

const valuesOf = (key: Key, tag: string | null, facts: SuggestFacts): ReadonlyArray<Candidate> => {
  switch (key) {
    case "status":
      return (facts.statuses ?? Object.keys(choices.status)).map((name) => value(name))
    case "source":
      return ["schedule", "manual"].map((name) => value(name))
    case "executor":
      return Object.keys(choices.executor).map((name) => value(name))
    case "task":
      return printed(facts.tasks)
    case "instance":
      return printed(facts.instances)
    case "schedule":
      return printed(facts.schedules)
    case "tag": {
      const tags = facts.tags ?? {}
      if (tag !== null) return printed(Object.hasOwn(tags, tag) ? tags[tag] : [])
      return Object.keys(tags).map((name) => value(name, `${printValue(name)}=`))
    }
    case "dur":
    case "wait":
    case "age":
      return spans.map((span) => value(span))
    case "attempts":
    case "retries":
    case "priority":
      return [">1", ">=5"].map((count) => value(count))
    case "since":
    case "until":
      return agos.map((ago) => value(ago))
    default:
      return []
  }
}

/** At most 20, those that begin as what was typed first. */
export const suggest = (text: string, caret: number, facts: SuggestFacts): ReadonlyArray<Suggestion> => {
  if (text.length > maxLength) return []
  const at = Math.min(text.length, Math.max(0, Math.trunc(caret) || 0))
  const { open, outside } = outsides(text)
  const last = (from: number, found: (char: string) => boolean): number => {
    for (let index = at - 1; index >= from; index -= 1) if (outside[index] && found(text[index]!)) return index
    return -1
  }
  const next = (found: (char: string) => boolean): number => {
    // Quotes that are still being written reach no further than the caret.
    if (open !== null && open < at) return at
    for (let index = at; index < text.length; index += 1) if (outside[index] && found(text[index]!)) return index
    return text.length
  }
  const begin = last(0, (char) => space.test(char)) + 1
  const start = text[begin] === "-" && begin < at ? begin + 1 : begin
  let colon = -1
  for (let index = start; index < at && colon < 0; index += 1) if (outside[index] && text[index] === ":") colon = index

  const offered = (candidates: ReadonlyArray<Candidate>, from: number, to: number): ReadonlyArray<Suggestion> => {
    const typed = unquoted(text.slice(from, at)).toLowerCase()
    const fitting = candidates
      .map((candidate) => ({ ...candidate, found: candidate.name.toLowerCase().indexOf(typed) }))
      .filter(({ found, insert }) => found >= 0 && insert !== text.slice(from, at))
    return [...fitting.filter(({ found }) => found === 0), ...fitting.filter(({ found }) => found > 0)]
      .slice(0, maxSuggestions)
      .map(({ insert, kind, label }) => ({ insert, label, kind, from, to }))
  }

  if (colon < 0) {
    const end = next((char) => char === ":" || space.test(char))
    return offered(keysAndTasks(text.slice(start, at), facts), start, text[end] === ":" ? end + 1 : end)
  }
  const key = text.slice(start, colon).toLowerCase()
  if (!isKey(key)) return []
  const comma = last(colon + 1, (char) => char === ",")
  let equals = -1
  for (let index = colon + 1; key === "tag" && index < at && equals < 0; index += 1) {
    if (outside[index] && text[index] === "=") equals = index
  }
  const from = Math.max(colon, comma, equals) + 1
  const tag = equals < 0 ? null : unquoted(text.slice(colon + 1, equals))
  const end = next((char) => char === "," || space.test(char) || key === "tag" && equals < 0 && char === "=")
  return offered(valuesOf(key, tag, facts), from, text[end] === "=" && equals < 0 && key === "tag" ? end + 1 : end)
}
