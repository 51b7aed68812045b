/**
 * What two failures have in common when a person would call them the same: the task, the error, its message without the
 * values in it, and the handler's own frame. Pure.
 */
import { createHash } from "node:crypto"
import type { TaskFailure } from "../TaskEvent.js"
import type { TaskRecord } from "../TaskRecord.js"

/** What a group of failures is shown by. */
export interface FailureSample {
  readonly kind: TaskFailure["kind"]
  readonly name: string
  /** As it was, at most 1,000 characters. */
  readonly message: string
  /** The first of the handler's own frames, as far as it says what and where; null without one. */
  readonly frame: string | null
}

export interface Fingerprint {
  /** 43 characters of base64url. */
  readonly fingerprint: string
  readonly sample: FailureSample
}

const longestMessage = 1_000
const longestForm = 200
const longestFrame = 200

// Halves of a pair of surrogates are not told apart by where a text was cut.
const cut = (text: string, length: number): string => text.length <= length ? text : text.slice(0, length)

// In this order: what is quoted first, as anything may stand in it; digits last, as the others are made of them. Each is one
// pass over the text.
const values: ReadonlyArray<readonly [RegExp, string]> = [
  [/"[^"]*"?|`[^`]*`?|(?<![\p{L}\p{N}])'[^']*'(?![\p{L}\p{N}])/gu, "«»"],
  [/(?<![0-9a-z])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-z])/giu, "#"],
  [/(?<![0-9a-z])0x[0-9a-f]+(?![0-9a-z])/giu, "#"],
  // A word of hexadecimal digits that has both letters and digits: `decade` and `facade` are words.
  [/(?<![0-9a-z])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{6,64}(?![0-9a-z])/giu, "#"],
  [/[0-9]+(?:[.,:][0-9]+)*/gu, "#"],
  [/\s+/gu, " "]
]

/** The message without its values: at most 200 characters, the same for messages that differ in values alone. */
export const formOf = (message: string): string => {
  let form = cut(message, longestMessage)
  for (const [value, mark] of values) form = form.replace(value, mark)
  return cut(form.trim(), longestForm).trimEnd()
}

const foreign = /node:internal|[\\/]node_modules[\\/]|\(native\)|<anonymous>|effect-taskflow[\\/](dist|src)[\\/]/

/**
 * The first own frame of a stack: function and file. Without folders, which differ between machines, and without line and
 * column, which move with every release.
 */
export const frameOf = (stack: string): string | null => {
  // Frames of the handler stand first, so the rest of a long stack says nothing more.
  for (const line of cut(stack, 16_384).split("\n", 64)) {
    if (line.length > 1_000 || !/^\s+at /.test(line) || foreign.test(line)) continue
    const parts = /^\s+at (?:(.*) \()?(?:[^()]*[\\/])?([^()\\/]*?)(?::[0-9]+)*\)?$/.exec(line)
    if (parts === null) continue
    const [, name = "", file = ""] = parts
    return cut(name === "" ? file : `${name} (${file})`, longestFrame)
  }
  return null
}

/** Of the text of this failure, whatever was told of it. */
export const plainOf = ({ kind, message, name, stack }: TaskFailure, taskName: string): Fingerprint => {
  const frame = frameOf(stack)
  const text = JSON.stringify([taskName, kind, name, formOf(message), frame])
  return {
    fingerprint: createHash("sha256").update(text).digest("base64url"),
    sample: { kind, name: cut(name, 200), message: cut(message, longestMessage), frame }
  }
}

const rules = new WeakMap<TaskFailure, (taskName: string) => Fingerprint>()

/** Says what the fingerprint of this failure is, where its text does not: it is encrypted, or hashed with a key. */
export const tell = (failure: TaskFailure, rule: (taskName: string) => Fingerprint): void => {
  rules.set(failure, rule)
  known.delete(failure)
}

// Asked for twice: by the row of the task, and by the count of its group.
const known = new WeakMap<TaskFailure, readonly [task: string, Fingerprint]>()

/** Of the failure that ended this task; null unless it failed. */
export const fingerprintOf = (
  { failure, status, taskName }: Pick<TaskRecord, "failure" | "status" | "taskName">
): Fingerprint | null => {
  if (status !== "failed" || failure === null) return null
  const before = known.get(failure)
  if (before !== undefined && before[0] === taskName) return before[1]
  const found = rules.get(failure)?.(taskName) ?? plainOf(failure, taskName)
  known.set(failure, [taskName, found])
  return found
}
