/** What users name, as columns have it: JSON text in ASCII, or a hash of any length of text. */
import { createHash } from "node:crypto"
import type { TaskRecord } from "../../TaskRecord.js"

/** JSON text in ASCII, so that it is the same in every character set, and its length in characters is its length in bytes. */
export const nameText = (name: string): string => {
  let text = names.get(name)
  if (text === undefined) {
    text = JSON.stringify(name).replace(
      /[\u007f-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
    )
    // Task names are few; were they not, they are made anew.
    if (names.size < 10_000) names.set(name, text)
  }
  return text
}
const names = new Map<string, string>()

const hashOf = (...parts: ReadonlyArray<string>): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("base64url")

/** Of the key within its task name, or null without one. */
export const keyHash = (record: Pick<TaskRecord, "taskName" | "idempotencyKey">): string | null =>
  record.idempotencyKey === null ? null : hashOf(record.taskName, record.idempotencyKey)

export const auditHash = (column: "who" | "action" | "target", value: string): string => hashOf(column, value)

export const tagHash = (name: string, value: string): string => hashOf(name, value)

export const scheduleHash = (name: string): string => hashOf(name)

/** A name for each of the first `most` texts that it is asked for, `prefix` and a number; none for others. */
export const numbering = (prefix: string, most: number) => {
  const known = new Map<string, string>()
  return (text: string): string | undefined => {
    const found = known.get(text)
    if (found !== undefined || known.size >= most) return found
    const name = `${prefix}${known.size}`
    known.set(text, name)
    return name
  }
}
