/**
 * One event as one line, for files and the console. Whatever a handler logs stays one line: control characters are escaped.
 */
import { severityOf } from "../internal/observed.js"
import type { ObservedEvent } from "../TaskObserver.js"

const named: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

const codeOf = (character: string): string => character.charCodeAt(0).toString(16)

// C0, DEL, C1 (terminals obey them) and the line separators of Unicode.
// eslint-disable-next-line no-control-regex -- they are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Control characters as `\n`, `\t`, `\x1b`, `\u2028`. */
export const escaped = (text: string): string =>
  text.replace(controls, (found) => {
    const code = codeOf(found)
    return named[found] ?? (code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, "0")}`)
  })

// The last eight: the first ones of a UUIDv7 are those of its minute.
const shortId = (taskId: string): string => taskId.slice(-8)

/** UTC, whole seconds. */
const secondsOf = (timestamp: Date): string => timestamp.toISOString().slice(0, 19)

/** `[id8] [task] 2026-01-01T12:00:00 message`, without an end of line. */
export const textOf = (event: ObservedEvent): string => {
  const head = `[${shortId(event.taskId)}] [${escaped(event.taskName)}]`
  if (event._tag === "LifecycleEvent") {
    return `${head} ${secondsOf(event.timestamp)} -- ${event.status.toUpperCase()}`
  }
  if (event.attempt > 0 && event.message === `--- Retry ${event.attempt} ---`) return `${head} ${event.message}`
  return `${head} ${secondsOf(event.timestamp)} ${escaped(event.message)}`
}

/** A JSON object with the facts of the event, `type` and `level`, without an end of line. */
export const jsonOf = ({ _tag, ...facts }: ObservedEvent): string => {
  const line = "status" in facts
    ? { type: "lifecycle", level: severityOf(facts.status), ...facts }
    : { type: "log", ...facts }
  // JSON leaves these as they are; as escapes they are the same text.
  return JSON.stringify(line).replace(controls, (found) => `\\u${codeOf(found).padStart(4, "0")}`)
}
