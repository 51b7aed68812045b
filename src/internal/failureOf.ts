/**
 * What went wrong, in a form that can be stored and shown: readable, bounded, the handler's own frames first. Pure.
 */
import * as Cause from "effect/Cause"
import * as Predicate from "effect/Predicate"
import type { TaskFailure } from "../TaskEvent.js"

const maxStack = 16_384
const maxMessage = 4_096

const cut = (text: string, max: number): string => text.length <= max ? text : `${text.slice(0, max)} … (cut)`

const isFrame = (line: string): boolean => /^\s+at /.test(line)
const isForeign = (line: string): boolean =>
  /node:internal|\/node_modules\/|\(native\)|<anonymous>|effect-taskflow\/(dist|src)\//.test(line)

// Of each block of frames the handler's own come first; what is left of the others follows, a few lines of it.
const ownFramesFirst = (text: string): string => {
  const out: Array<string> = []
  let frames: Array<string> = []
  const close = () => {
    out.push(...frames.filter((line) => !isForeign(line)), ...frames.filter(isForeign).slice(0, 5))
    frames = []
  }
  for (const line of text.split("\n")) {
    if (isFrame(line)) frames.push(line)
    else {
      close()
      out.push(line)
    }
  }
  close()
  return out.join("\n")
}

/** The cause as people read it; at most 16 KiB. */
export const prettyCause = (cause: Cause.Cause<unknown>): string =>
  cut(ownFramesFirst(Cause.pretty(cause, { renderErrorCause: true })), maxStack)

/** The name to group by: an error's `_tag`, else its class name, else its type. */
export const nameOf = (error: unknown): string => {
  if (Predicate.hasProperty(error, "_tag") && typeof error._tag === "string") return cut(error._tag, 200)
  if (error instanceof Error) return cut(error.name, 200)
  return error === null ? "null" : typeof error
}

/** The sentence to show: the error's message, else the value as text. Never throws, whatever the value does. */
export const messageOf = (error: unknown): string => {
  try {
    if (Predicate.hasProperty(error, "message") && typeof error.message === "string" && error.message !== "") {
      return cut(error.message, maxMessage)
    }
    if (typeof error === "string") return cut(error, maxMessage)
    const text: unknown = JSON.stringify(error)
    return cut(typeof text === "string" ? text : String(error), maxMessage)
  } catch {
    return nameOf(error)
  }
}

/** The stored form of what `error` did to an attempt. `encoded` is the typed error as JSON text, if it is one. */
export const failureOf = (
  kind: TaskFailure["kind"],
  error: unknown,
  cause: Cause.Cause<unknown>,
  encoded: string | null
): TaskFailure => ({ kind, name: nameOf(error), message: messageOf(error), stack: prettyCause(cause), error: encoded })
