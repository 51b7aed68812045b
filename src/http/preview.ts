/**
 * The arguments of a task as one short line for lists: the same JSON as the task by itself shows, cut. Pure.
 *
 * Secrets are replaced in the whole of it before it is cut: half a secret would look like none. So it has to be read as a whole, and
 * a list must not cost what its payloads weigh: beyond a few thousand characters there is no preview.
 */
import type { Definition } from "../internal/definition.js"
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

/** Undefined where the payload may not be shown, is not known here, is empty or is too large. */
export const previewOf = (
  record: Pick<TaskRecord, "definitionVersion" | "kind" | "payload" | "taskName">,
  definition: Definition | undefined,
  redaction: Redaction
): string | undefined => {
  if (record.payload.length > maxPayload) return undefined
  const shown = TaskView.payload(record, definition, redaction)
  if (shown === undefined || shown === null) return undefined
  try {
    const text = JSON.stringify(shown)
    return text === undefined || text === "{}" || text === "[]" ? undefined : cut(text)
  } catch {
    // What `redact` of the application answered is no JSON.
    return undefined
  }
}
