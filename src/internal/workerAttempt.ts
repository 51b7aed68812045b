/**
 * One run of a handler, from inside its worker: what `TaskContext`, `TaskLog` and `TaskProgress` talk to there.
 *
 * Everything said is sent at once, so it is read elsewhere while this thread is busy. How much is sent is bounded.
 */
import * as Effect from "effect/Effect"
import type { WorkerJob } from "../executor/job.js"
import type { FromAttempt } from "../executor/protocol.js"
import type { Attempt, Current } from "../TaskContext.js"
import type { InstanceId, LogLevel, Progress } from "../TaskEvent.js"
import { annotationText } from "./annotationText.js"
import { monotonic } from "./realTime.js"

/** Why it was asked to stop: from outside, or by `Task.snooze`. */
export type Stop = "interrupt" | "snooze"

/** A run and how to stop it. */
export interface WorkerAttempt extends Attempt {
  readonly run: number
  readonly requested: Stop | null
  /** How long `Task.snooze` said, if it did. */
  readonly snoozeMillis: number | null
  /** The errors that `Task.unrecoverable` marked, compared by identity. */
  readonly final: ReadonlyArray<unknown>
  /** Asks it to stop, for one reason: the first one given counts, but from outside outweighs. */
  readonly stop: (request: Stop) => void
  /** Sends the last progress. Nothing is sent any more then. */
  readonly end: () => void
  /** Interrupts the fiber; set once it runs. */
  interrupt: () => void
}

// An engine keeps 16,384 characters of a message and says that it cut the rest: one more tells it that there was more.
const maxMessage = 16_385
// An engine keeps 1,000 lines or 256 KiB of a task unless told otherwise. This only bounds what a wild loop sends.
const maxLines = 100_000
const maxSize = 32 * 1024 * 1024
// Milliseconds from one progress to the next: the latest counts.
const progressPace = 20

const noop = (): void => {}

class WorkerAttemptImpl implements WorkerAttempt, Current {
  requested: Stop | null = null
  snoozeMillis: number | null = null
  final: Array<unknown> = []
  interrupt = noop
  private readonly controller = new AbortController()
  private readonly context: WorkerJob["context"]
  private lines = 0
  private size = 0
  private unsent: Progress | null = null
  private sentAt = Number.NEGATIVE_INFINITY
  private timer: NodeJS.Timeout | undefined
  private ended = false

  constructor(
    readonly run: number,
    job: WorkerJob,
    private readonly send: (message: FromAttempt) => void
  ) {
    this.context = job.context
  }

  get current(): Current {
    return this
  }
  get taskId() {
    return this.context.taskId
  }
  get taskName() {
    return this.context.taskName
  }
  get attempt() {
    return this.context.attempt
  }
  get tags() {
    return this.context.tags
  }
  get source() {
    return this.context.source
  }
  get schedule() {
    return this.context.schedule
  }
  get instance() {
    // safe: it is the id of the instance that sent the job
    return this.context.instance as InstanceId
  }
  get fence() {
    return this.context.fence
  }
  get signal(): AbortSignal {
    return this.controller.signal
  }

  stop(request: Stop): void {
    if (this.requested === null || request === "interrupt") this.requested = request
    this.controller.abort(request)
    this.interrupt()
  }
  log(level: LogLevel, message: string, annotations: Record<string, unknown>): void {
    if (this.ended || this.lines >= maxLines || this.size >= maxSize) return
    const line = { level, message: message.slice(0, maxMessage), annotations: annotationText(annotations) }
    this.lines += 1
    this.size += line.message.length + (line.annotations?.length ?? 0)
    this.send({ _tag: "Log", run: this.run, ...line })
  }
  progress(progress: Progress): void {
    if (this.ended) return
    this.unsent = progress
    const wait = this.sentAt + progressPace - monotonic()
    if (wait <= 0) return this.sendProgress()
    this.timer ??= setTimeout(() => this.sendProgress(), wait)
  }
  snooze(millis: number): void {
    this.snoozeMillis = millis
    this.stop("snooze")
  }
  giveUpOn(error: unknown): void {
    this.final.push(error)
  }
  end(): void {
    this.sendProgress()
    this.ended = true
  }

  private sendProgress(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (this.unsent === null) return
    this.send({ _tag: "Progress", run: this.run, ...this.unsent })
    this.unsent = null
    this.sentAt = monotonic()
  }

  // There is no slot to give back: a worker runs one attempt.
  readonly park = Effect.void
  readonly unpark = Effect.void
}

export const make = (run: number, job: WorkerJob, send: (message: FromAttempt) => void): WorkerAttempt =>
  new WorkerAttemptImpl(run, job, send)
