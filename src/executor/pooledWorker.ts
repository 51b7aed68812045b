/**
 * The life of one worker: it starts, runs attempts one after the other, and ends once.
 *
 * Callbacks, as threads and processes have them: what happens here happens in one turn of the event loop, so no state is between
 * two others.
 */
import type { ModuleRef, WorkerError, WorkerJob, WorkerListener, WorkerOutcome } from "./job.js"
import { annotationsOf } from "./messages.js"
import { type FromWorker, protocol } from "./protocol.js"
import { type Death, type Settings, start, type Transport } from "./transport.js"

export interface WorkerSettings extends Settings {
  readonly startTimeout: number
  readonly grace: number
  readonly recycleAfter: number
  readonly warm: ReadonlyArray<ModuleRef>
}

/** What it tells its pool. */
export interface Events {
  /** It can run an attempt. */
  readonly idle: (worker: PooledWorker) => void
  /** It is gone. `failure`: why it never got to run a handler, unless it was told to end. */
  readonly ended: (worker: PooledWorker, failure: WorkerError | null) => void
}

type Answer = (outcome: WorkerOutcome) => void

interface Running {
  readonly run: number
  readonly job: WorkerJob
  readonly listener: WorkerListener
  /** Null once it was interrupted: then only its end counts. */
  answer: Answer | null
  readonly whenOver: Array<() => void>
}

/** An attempt that ended without a word of its handler. */
export const defect = (shown: WorkerError): WorkerOutcome => ({ _tag: "Defect", final: false, shown })

const notStarted = "WorkerNotStarted"

export const workerError = (name: string, message: string, stack = ""): WorkerError => ({ name, message, stack })

/** Milliseconds for a worker that was terminated to be gone. */
export const lastMoment = 750

export class PooledWorker {
  /** Whether a handler ran here: before that, a death counts as a failed start. */
  proven = false
  private readonly transport: Transport
  private ready = false
  private closing = false
  private runs = 0
  private memory = 0
  private running: Running | null = null
  private dying: WorkerError | null = null
  private starting: NodeJS.Timeout | undefined
  private ending: NodeJS.Timeout | undefined
  private leaving: NodeJS.Timeout | undefined
  private idling: NodeJS.Timeout | undefined

  constructor(private readonly settings: WorkerSettings, private readonly events: Events) {
    this.transport = start(settings, { message: (message) => this.hear(message), ended: (death) => this.end(death) })
    this.limitStart(`the ${settings.kind} did not start`)
  }

  /** Runs an attempt. Only an idle worker does. */
  run(job: WorkerJob, listener: WorkerListener, answer: Answer): void {
    clearTimeout(this.idling)
    this.dying = null
    this.runs += 1
    this.running = { run: this.runs, job, listener, answer, whenOver: [] }
    this.transport.hold(true)
    this.limitStart(`the module or the layer of task ${JSON.stringify(job.context.taskName)} was not ready`)
    this.transport.send({ _tag: "Run", run: this.runs, job })
  }

  /** Interrupts its attempt, which answers nothing then. `done` hears when it is over: the handler ended, or its worker did. */
  interrupt(done: () => void): void {
    const { running } = this
    if (running === null) return done()
    running.answer = null
    running.whenOver.push(done)
    this.transport.send({ _tag: "Interrupt", run: running.run })
    this.limitEnd()
  }

  /** Calls back when it was idle for so long. */
  whenIdleFor(millis: number, then: () => void): void {
    this.idling = setTimeout(then, millis)
    this.idling.unref()
  }

  /** Ends it: what runs is interrupted, its layers are closed, and after `grace` it is terminated. */
  close(): void {
    if (this.closing) return
    this.closing = true
    clearTimeout(this.idling)
    this.transport.hold(true)
    if (!this.ready) return this.kill()
    this.transport.send({ _tag: "Close" })
    this.limitEnd()
  }

  /** Lets this process end without it. */
  abandon(): void {
    this.transport.hold(false)
  }

  private limitStart(what: string): void {
    const { startTimeout } = this.settings
    this.starting = setTimeout(() => {
      this.dying = workerError(notStarted, `${what} within ${startTimeout} ms: see startTimeout`)
      this.kill()
    }, startTimeout)
  }

  private limitEnd(): void {
    this.ending ??= setTimeout(() => this.kill(), this.settings.grace)
  }

  // A thread inside native code may not end at once: nobody waits for that.
  private kill(): void {
    this.closing = true
    this.transport.kill()
    this.leaving ??= setTimeout(() => this.over(defect(this.errorOf(null))), lastMoment)
  }

  private hear(message: FromWorker): void {
    const { running } = this
    switch (message._tag) {
      case "Hello":
        return this.begin(message.protocol)
      case "Memory":
        this.memory = message.bytes
        return
      case "Dying":
        this.dying = message.error
        return
    }
    // Of an attempt that is over: a fiber that it left behind.
    if (running === null || running.run !== message.run) return
    switch (message._tag) {
      case "Started":
        this.proven = true
        return clearTimeout(this.starting)
      case "Log":
        if (running.answer === null) return
        return running.listener.log(message.level, message.message, annotationsOf(message.annotations))
      case "Progress":
        if (running.answer === null) return
        return running.listener.progress({ value: message.value, message: message.message })
      case "Ended":
        this.proven = true
        this.over(
          message.outcome ?? defect(workerError("WorkerDied", `the pool of this ${this.settings.kind} was closed`))
        )
        return this.rest()
    }
  }

  private begin(theirs: number): void {
    if (this.ready) return
    clearTimeout(this.starting)
    if (theirs !== protocol) {
      this.dying = workerError(
        notStarted,
        `the ${this.settings.kind} speaks protocol ${theirs}, not ${protocol}`
      )
      return this.kill()
    }
    this.ready = true
    const { warm } = this.settings
    if (warm.length > 0) this.transport.send({ _tag: "Load", modules: warm })
    this.rest()
  }

  // After its start and after each attempt.
  private rest(): void {
    if (this.closing) return
    const { memoryLimit, recycleAfter } = this.settings
    if (this.runs >= recycleAfter || (memoryLimit !== null && this.memory > memoryLimit)) return this.close()
    this.transport.hold(false)
    this.events.idle(this)
  }

  private over(outcome: WorkerOutcome): void {
    const { running } = this
    if (running === null) return
    this.running = null
    clearTimeout(this.starting)
    if (!this.closing) {
      clearTimeout(this.ending)
      this.ending = undefined
    }
    running.answer?.(outcome)
    for (const done of running.whenOver) done()
  }

  private end(death: Death): void {
    for (const timer of [this.starting, this.ending, this.leaving, this.idling]) clearTimeout(timer)
    const error = this.errorOf(death)
    const failed = !this.proven && (!this.closing || error.name === notStarted)
    this.closing = true
    this.over(defect(error))
    this.events.ended(this, failed ? error : null)
  }

  private errorOf(death: Death | null): WorkerError {
    const reason = this.dying ?? death?.error ?? null
    if (reason?.name === notStarted) return reason
    const { memoryLimit } = this.settings
    const how = death === null
      ? "does not end"
      : death.signal === null
      ? `ended with exit code ${death.code ?? "none"}`
      : `was ended by ${death.signal}`
    const hint = death?.signal === "SIGABRT" || reason?.message.includes("ERR_WORKER_OUT_OF_MEMORY") === true
      ? `; it probably ran out of memory${memoryLimit === null ? "" : ` (memoryLimit is ${memoryLimit} bytes)`}`
      : ""
    const cause = reason === null ? "" : `: ${reason.name}: ${reason.message}`
    return workerError("WorkerDied", `the ${this.transport.name} ${how}${hint}${cause}`, reason?.stack ?? "")
  }
}
