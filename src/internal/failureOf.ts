/**
 * What went wrong, in a form that can be stored and shown: readable, bounded, the handler's own frames first. Pure.
 */
import * as Cause from "effect/Cause"
import type { FailureCause, TaskFailure } from "../TaskEvent.js"
import * as CauseParts from "./causeParts.js"

const maxStack = 16_384
const maxMessage = 4_096

const mark = " … (cut)"
const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max - mark.length)}${mark}`

// What is thrown may be anything, and anything may throw again when it is looked at.
const attempt = (read: () => unknown): string | undefined => {
  try {
    const value = read()
    return typeof value === "string" && value !== "" ? value : undefined
  } catch {
    return undefined
  }
}

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

/** The cause as people read it; at most 16 KiB. Never throws. */
export const prettyCause = (cause: Cause.Cause<unknown>): string => {
  const text = attempt(() => Cause.pretty(cause, { renderErrorCause: true })) ?? attempt(() => Cause.pretty(cause)) ??
    attempt(() => {
      const error = Cause.squash(cause)
      return `${nameOf(error)}: ${messageOf(error)}`
    }) ?? "a cause that cannot be shown"
  // Cut first: there is no use in sorting the frames of a text of megabytes.
  return cut(ownFramesFirst(cut(text, 4 * maxStack)), maxStack)
}

/**
 * The name to group by: an error's `_tag`, else its class name, else its type; of a `TaskDefect` the name of what was thrown.
 * Never throws.
 */
export const nameOf = (error: unknown): string => {
  const property = (key: "_tag" | "name") =>
    attempt(() => typeof error === "object" && error !== null ? Reflect.get(error, key) : undefined)
  const isError = attempt(() => error instanceof Error ? "yes" : "") === "yes"
  const tag = property("_tag")
  const name = (tag === "TaskDefect" ? undefined : tag) ?? (isError ? property("name") ?? "Error" : undefined)
  return cut(name ?? (error === null ? "null" : typeof error), 200)
}

/** The sentence to show: the error's message, else the value as text. Never throws, whatever the value does. */
export const messageOf = (error: unknown): string => {
  const message = typeof error === "string"
    ? error
    : attempt(() => typeof error === "object" && error !== null ? Reflect.get(error, "message") : undefined) ??
      attempt(() => error instanceof Error ? nameOf(error) : JSON.stringify(error)) ??
      attempt(() => typeof error === "object" ? undefined : String(error))
  return cut(message ?? nameOf(error), maxMessage)
}

const described: CauseParts.Describe = (leaf) => {
  const error = leaf._tag === "Fail" ? leaf.error : leaf.defect
  return { name: nameOf(error), message: messageOf(error), stack: prettyCause(leaf) }
}

// Of errors that came from elsewhere as data: what their cause was made of there.
const elsewhere = new WeakMap<object, FailureCause>()

/** Says what the cause of this error was made of, where it was another one than here. */
export const tellCause = (error: unknown, cause: FailureCause): void => {
  if (typeof error === "object" && error !== null) elsewhere.set(error, cause)
}

/** The parts of a cause that has several. Never throws. */
export const causeOf = (cause: Cause.Cause<unknown>, error: unknown): FailureCause | null =>
  CauseParts.partsOf(cause, described) ??
    (typeof error === "object" && error !== null ? elsewhere.get(error) ?? null : null)

/** The stored form of what `error` did to an attempt. `encoded` is the typed error as JSON text, if it is one. */
export const failureOf = (
  kind: TaskFailure["kind"],
  error: unknown,
  cause: Cause.Cause<unknown>,
  encoded: string | null
): TaskFailure => {
  const failure = { kind, name: nameOf(error), message: messageOf(error), stack: prettyCause(cause), error: encoded }
  const parts = causeOf(cause, error)
  return parts === null ? failure : { ...failure, cause: parts }
}
