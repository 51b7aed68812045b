/**
 * One run of a handler, from the side of the engine: what it was asked, what it may do, what it logged.
 */
import type { Attempt, Current } from "../TaskContext.js"
import type { LogLine, Progress } from "../TaskEvent.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import { retriesUsed, type TaskRecord } from "../TaskRecord.js"
import type { TaskStore } from "../TaskStore.js"
import { annotationText } from "./annotationText.js"
import type { AttemptSpan } from "./attemptSpan.js"
import type { StopRequest } from "./outcome.js"
import type { Slot } from "./slots.js"

/** A run and how to stop it. */
export interface LiveAttempt extends Attempt {
  readonly record: TaskRecord
  readonly slot: Slot
  readonly requested: StopRequest | null
  readonly snoozeMillis: number
  /** The errors that `Task.unrecoverable` marked, compared by identity. */
  readonly final: ReadonlyArray<unknown>
  /** Writes what it last said of its progress and was not written yet. */
  readonly writeProgress: () => void
  /** Asks it to stop, for one reason: the first one given counts. */
  readonly stop: (request: StopRequest) => void
  /** What it is traced as, or null. Set before it runs. */
  span: AttemptSpan | null
  /** Interrupts the fiber; set once it runs. */
  interrupt: () => void
  /** Stops the timeout clock. */
  disarm: () => void
}

const maxMessage = 16_384
const fullMessage = "the log of this task is full: further lines are not kept"

const noop = (): void => {}

// A class: an object of closures for each attempt allocated more than the attempt's record.
class AttemptImpl implements LiveAttempt, Current {
  requested: StopRequest | null = null
  snoozeMillis = 0
  final: Array<unknown> = []
  span: AttemptSpan | null = null
  interrupt = noop
  disarm = noop
  private sequence = 0
  private latest: Progress | null = null
  private writing = false
  private full = false
  private controller: AbortController | null = null

  constructor(
    readonly record: TaskRecord,
    readonly slot: Slot,
    private readonly engine: Engine
  ) {}

  get current(): Current {
    return this
  }
  get taskId() {
    return this.record.taskId
  }
  get taskName() {
    return this.record.taskName
  }
  get attempt() {
    return retriesUsed(this.record)
  }
  get tags() {
    return this.record.tags
  }
  get source() {
    return this.record.source
  }
  get schedule() {
    return this.record.schedule
  }
  get instance() {
    return this.record.owner!
  }
  get fence() {
    return this.record.claim
  }
  // Made on demand: most handlers never ask.
  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController()
      if (this.requested !== null) this.controller.abort(this.requested)
    }
    return this.controller.signal
  }
  get park() {
    return this.slot.park
  }
  get unpark() {
    return this.slot.unpark
  }

  stop(request: StopRequest): void {
    if (this.requested === null) this.requested = request
    this.controller?.abort(this.requested)
    this.interrupt()
    this.slot.endWaits()
  }
  log(level: LogLine["level"], message: string, annotations: Record<string, unknown>): void {
    const text = message.length <= maxMessage ? message : `${message.slice(0, maxMessage)} … (cut)`
    this.append(level, text, annotationText(annotations))
  }
  // The latest one counts: while one is being written the others replace each other.
  progress(progress: Progress): void {
    this.latest = progress
    if (!this.writing) this.writeProgress()
  }
  writeProgress(): void {
    const { latest } = this
    if (latest === null) return
    const { now, store } = this.engine
    // Not when the task came back under a newer claim.
    if (store.get(this.taskId)?.claim !== this.record.claim) return
    this.latest = null
    this.writing = store.commit({ _tag: "Progressed", taskId: this.taskId, at: now(), progress: latest }, () => {
      this.writing = false
      this.writeProgress()
    })
  }
  snooze(millis: number): void {
    this.snoozeMillis = millis
    this.stop("snooze")
  }
  giveUpOn(error: unknown): void {
    this.final.push(error)
  }
  append(level: LogLine["level"], message: string, annotations: string | null): void {
    const { limits, now, store } = this.engine
    const { attempts, claim, taskId } = this.record
    const known = store.get(taskId)
    // The last line kept is the one that says so; counted with the rest, so attempts without end add nothing more.
    if (known === undefined || known.claim !== claim || known.logLines > limits.maxLines) return
    const fits = known.logLines < limits.maxLines &&
      known.logBytes + message.length + (annotations?.length ?? 0) <= limits.maxSize
    if (!fits && this.full) return
    this.full = !fits
    this.sequence += 1
    const at = now()
    const line = fits
      ? { level, message, annotations }
      : { level: "warning" as const, message: fullMessage, annotations: null }
    store.commit({
      _tag: "Logged",
      taskId,
      at,
      line: { sequence: this.sequence, claim, attempt: attempts, at, ...line }
    })
  }
}

/** What attempts need of their engine. */
export interface Engine {
  readonly store: TaskStore["Type"]
  readonly limits: TaskflowConfig["Type"]["logs"]
  readonly now: () => number
}

/** The attempt of a record whose Started was just recorded. */
export const make = (record: TaskRecord, slot: Slot, engine: Engine): LiveAttempt => {
  const attempt = new AttemptImpl(record, slot, engine)
  if (record.failures > 0) attempt.append("info", `--- Retry ${record.failures} ---`, null)
  return attempt
}
