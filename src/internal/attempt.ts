/**
 * One run of a handler, from the side of the engine: what it was asked, what it may do, what it logged.
 */
import * as Inspectable from "effect/Inspectable"
import type { Attempt } from "../TaskContext.js"
import type { LogLine } from "../TaskEvent.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import { retriesUsed, type TaskRecord } from "../TaskRecord.js"
import type { TaskStore } from "../TaskStore.js"
import type { StopRequest } from "./outcome.js"
import type { Slot } from "./slots.js"

/** A run and how to stop it. */
export interface LiveAttempt extends Attempt {
  readonly record: TaskRecord
  readonly slot: Slot
  requested: StopRequest | null
  snoozeMillis: number
  /** The errors that `Task.unrecoverable` marked, compared by identity. */
  readonly final: Array<unknown>
  /** Interrupts the fiber; set once it runs. */
  interrupt: () => void
  /** Stops the timeout clock. */
  disarm: () => void
}

const maxMessage = 16_384
const fullMessage = "the log of this task is full: further lines are not kept"

const annotationText = (annotations: Record<string, unknown>): string | null => {
  if (Object.keys(annotations).length === 0) return null
  try {
    return Inspectable.stringifyCircular(annotations)
  } catch {
    // A bigint, or a toJSON that throws: then every value as text.
    const texts = Object.entries(annotations).map(([key, value]) => [key, Inspectable.toStringUnknown(value)] as const)
    return JSON.stringify(Object.fromEntries(texts))
  }
}

/** Asks the attempt to stop, for one reason: the first one given counts. */
export const stop = (attempt: LiveAttempt, request: StopRequest): void => {
  if (attempt.requested === null) attempt.requested = request
  attempt.interrupt()
}

/** The attempt of a record whose Started was just recorded. */
export const make = (
  record: TaskRecord,
  slot: Slot,
  store: TaskStore["Type"],
  limits: TaskflowConfig["Type"]["logs"],
  now: () => number
): LiveAttempt => {
  const { claim, owner, tags, taskId, taskName } = record
  let sequence = 0
  let full = false
  let controller: AbortController | null = null

  const append = (level: LogLine["level"], message: string, annotations: string | null): void => {
    const known = store.get(taskId)
    // The last line kept is the one that says so; counted with the rest, so attempts without end add nothing more.
    if (known === undefined || known.claim !== claim || known.logLines > limits.maxLines) return
    const fits = known.logLines < limits.maxLines &&
      known.logBytes + message.length + (annotations?.length ?? 0) <= limits.maxSize
    if (!fits && full) return
    full = !fits
    sequence += 1
    const at = now()
    const line = fits
      ? { level, message, annotations }
      : { level: "warning" as const, message: fullMessage, annotations: null }
    store.commit({ _tag: "Logged", taskId, at, line: { sequence, claim, attempt: record.attempts, at, ...line } })
  }

  const attempt: LiveAttempt = {
    record,
    slot,
    requested: null,
    snoozeMillis: 0,
    final: [],
    interrupt: () => {},
    disarm: () => {},
    park: slot.park,
    unpark: slot.unpark,
    current: {
      taskId,
      taskName,
      attempt: retriesUsed(record),
      tags,
      instance: owner!,
      fence: claim,
      // Made on demand: most handlers never ask.
      get signal() {
        if (controller === null) {
          controller = new AbortController()
          if (attempt.requested !== null) controller.abort(attempt.requested)
          const { interrupt } = attempt
          attempt.interrupt = () => {
            controller?.abort(attempt.requested)
            interrupt()
          }
        }
        return controller.signal
      }
    },
    log: (level, message, annotations) => {
      const text = message.length <= maxMessage ? message : `${message.slice(0, maxMessage)} … (cut)`
      append(level, text, annotationText(annotations))
    },
    progress: (progress) => {
      store.commit({ _tag: "Progressed", taskId, at: now(), progress })
    },
    snooze: (millis) => {
      attempt.snoozeMillis = millis
      stop(attempt, "snooze")
    },
    giveUpOn: (error) => {
      attempt.final.push(error)
    }
  }

  if (record.failures > 0) append("info", `--- Retry ${record.failures} ---`, null)
  return attempt
}
