/**
 * The arguments of a task as one short line for lists: the same JSON as the task by itself shows, cut. Pure.
 *
 * A list must not cost what its payloads weigh: beyond a few thousand characters there is no preview, and of what is smaller only
 * the beginning is looked at for secrets.
 */
import type { Definition } from "../internal/definition.js"
import { placeholder } from "../internal/redaction.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Redaction } from "./TaskRedaction.js"
import * as TaskView from "./TaskView.js"

/** How long a preview is at most, and the payload it is made of. */
export const maxPreview = 160
export const maxPayload = 4_096

// A pair of surrogates stays together.
const cut = (text: string): string => {
  if (text.length <= maxPreview) return text
  const kept = text.slice(0, maxPreview - 1)
  return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}

/**
 * As much of a value as the beginning of its JSON is made of: what is behind it need not be looked at for secrets. Texts stay whole, as
 * half a secret looks like none.
 */
const beginningOf = (whole: unknown): { readonly value: unknown; readonly isCut: boolean } => {
  // What is left of the length, if every text became as short as it can be.
  let left = maxPreview
  let isCut = false
  const take = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) {
      left -= typeof value === "string" ? Math.min(value.length, placeholder.length) + 2 : String(value).length
      return value
    }
    const isArray = Array.isArray(value)
    const kept: Array<readonly [string, unknown]> = []
    for (const key in value) {
      if (left <= 0) {
        isCut = true
        break
      }
      // With the comma behind it, or the bracket before the first.
      left -= isArray ? 1 : key.length + 4
      kept.push([key, take(Reflect.get(value, key))])
    }
    left -= 1
    return isArray ? kept.map(([, inner]) => inner) : Object.fromEntries(kept)
  }
  return { value: take(whole), isCut }
}

/** Undefined where the payload may not be shown, is not known here, is empty or is too large. */
export const previewOf = (
  record: Pick<TaskRecord, "definitionVersion" | "kind" | "payload" | "taskName">,
  definition: Definition | undefined,
  redaction: Redaction
): string | undefined => {
  if (record.payload.length > maxPayload) return undefined
  let isCut = false
  const narrowed = (whole: unknown): unknown => {
    // An application that has a say may go by anything in it.
    if (redaction.asks || record.payload.length <= maxPreview) return whole
    const beginning = beginningOf(whole)
    isCut = beginning.isCut
    return beginning.value
  }
  const shown = TaskView.payload(record, definition, redaction, narrowed)
  if (shown === undefined || shown === null) return undefined
  try {
    const text = JSON.stringify(shown)
    if (text === undefined || text === "{}" || text === "[]") return undefined
    return cut(isCut && text.length < maxPreview ? `${text}…` : text)
  } catch {
    // What `redact` of the application answered is no JSON.
    return undefined
  }
}
