/**
 * Threads or processes that run attempts, one at a time each.
 *
 * A worker that dies takes its one attempt with it and nothing else. Closing the scope ends every worker, busy or not, within
 * `grace` and a second. Time here is real: a clock that a test moves makes no thread late.
 */
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { monotonic } from "../internal/realTime.js"
import type { ModuleRef, WorkerError, WorkerJob, WorkerListener, WorkerOutcome } from "./job.js"
import { defect, lastMoment, PooledWorker, workerError } from "./pooledWorker.js"

/** How many workers there are and how long they live. */
export interface WorkerPoolOptions {
  readonly kind: "thread" | "process"
  /** This many are started at once and stay, idle or not. */
  readonly min: number
  readonly max: number
  /** Milliseconds after which an idle worker beyond `min` ends. */
  readonly idleTimeout: number
  /** Attempts after which a worker is replaced; `Infinity` for never. */
  readonly recycleAfter: number
  /**
   * Bytes; null for no limit. JavaScript that holds more ends the worker. After an attempt, a process that holds more in
   * all is replaced.
   */
  readonly memoryLimit: number | null
  /** Milliseconds from a start to the first step of a handler: the worker itself, its module and its layer. */
  readonly startTimeout: number
  /** Milliseconds in which what was interrupted has to end. */
  readonly grace: number
  /** Modules that every worker loads before its first attempt. */
  readonly warm?: ReadonlyArray<ModuleRef> | undefined
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Options of Node.js for the workers. Default: those of this process, without its debugger. */
  readonly execArgv?: ReadonlyArray<string> | undefined
}

export interface WorkerPool {
  /**
   * Runs one attempt; waits for a worker when `max` are busy. Interrupting it interrupts the handler there; what does not stop
   * within `grace` is terminated.
   */
  readonly run: (job: WorkerJob, listener: WorkerListener) => Effect.Effect<WorkerOutcome>
  /** Workers alive, those that start or end included. */
  readonly size: () => number
  readonly max: number
}

/**
 * Starts `min` workers and ends all when the scope closes. Workers that do not start are tried again, slower each time: an
 * attempt that waits for one fails with the reason.
 */
export const make = (options: WorkerPoolOptions): Effect.Effect<WorkerPool, never, Scope.Scope> =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<never>()
    const warn = (message: string): void => void Runtime.runFork(runtime, Effect.logWarning(message))
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(options, warn)),
      (pool) => Effect.async<void>((resume) => pool.close(() => resume(Effect.void)))
    )
    return {
      run: (job, listener) =>
        Effect.async<WorkerOutcome>((resume) => {
          const stop = pool.run(job, listener, (outcome) => resume(Effect.succeed(outcome)))
          return Effect.async<void>((done) => stop(() => done(Effect.void)))
        }),
      size: () => pool.size,
      max: options.max
    }
  })

/** An attempt that has no worker yet. */
interface Waiting {
  readonly job: WorkerJob
  readonly listener: WorkerListener
  readonly answer: (outcome: WorkerOutcome) => void
  worker: PooledWorker | null
}

// Milliseconds from a failed start to the next one: doubled with each in a row.
const firstPause = 100
const longestPause = 5_000
// Not Effect's Pool: that hands out the worker that rested longest, so that all stay warm under a small load, ends idle ones in
// the order they were made, and waits for busy ones when it closes.
class Pool {
  private readonly workers = new Set<PooledWorker>()
  private readonly starting = new Set<PooledWorker>()
  // The last one rested least: it is taken first, so the others may end.
  private readonly idle: Array<PooledWorker> = []
  private readonly waiting = new Set<Waiting>()
  private failures = 0
  private notBefore = 0
  private timer: NodeJS.Timeout | undefined
  private closed: (() => void) | null = null

  constructor(
    private readonly options: WorkerPoolOptions,
    private readonly warn: (message: string) => void
  ) {
    this.startNeeded()
  }

  get size(): number {
    return this.workers.size
  }

  /** The answer interrupts it. */
  run(job: WorkerJob, listener: WorkerListener, answer: Waiting["answer"]): (done: () => void) => void {
    if (this.closed !== null) {
      answer(this.closedDefect())
      return (done) => done()
    }
    const request: Waiting = { job, listener, answer, worker: null }
    this.waiting.add(request)
    this.serve()
    return (done) => {
      if (request.worker !== null) return request.worker.interrupt(done)
      this.waiting.delete(request)
      done()
    }
  }

  close(done: () => void): void {
    const { grace } = this.options
    clearTimeout(this.timer)
    const limit = setTimeout(() => {
      for (const worker of this.workers) worker.abandon()
      this.closed?.()
    }, grace + lastMoment)
    this.closed = () => {
      clearTimeout(limit)
      this.closed = () => {}
      done()
    }
    for (const request of this.waiting) request.answer(this.closedDefect())
    this.waiting.clear()
    for (const worker of this.workers) worker.close()
    if (this.workers.size === 0) this.closed()
  }

  private closedDefect(): WorkerOutcome {
    return defect(workerError("WorkerDied", `the pool of this ${this.options.kind} was closed`))
  }

  private serve(): void {
    for (const request of this.waiting) {
      const worker = this.idle.pop()
      if (worker === undefined) break
      this.waiting.delete(request)
      request.worker = worker
      worker.run(request.job, request.listener, (outcome) => {
        request.worker = null
        request.answer(outcome)
      })
    }
    this.startNeeded()
  }

  // As many as attempts wait for, and always `min`; not sooner than the last failures allow.
  private startNeeded(): void {
    if (this.closed !== null) return
    const { max, min } = this.options
    const room = max - this.workers.size
    const wanted = Math.min(room, Math.max(this.waiting.size - this.starting.size, min - this.workers.size))
    if (wanted <= 0) return
    const pause = this.notBefore - monotonic()
    if (pause > 0) {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.startNeeded(), pause)
      // Only who waits for it keeps this process alive.
      if (this.waiting.size === 0) this.timer.unref()
      return
    }
    for (let count = 0; count < wanted; count += 1) this.startOne()
  }

  private startOne(): void {
    const { warm = [] } = this.options
    const worker = new PooledWorker({ ...this.options, warm }, {
      idle: (ready) => this.rested(ready),
      ended: (dead, reason) => this.ended(dead, reason)
    })
    this.workers.add(worker)
    this.starting.add(worker)
  }

  private rested(worker: PooledWorker): void {
    this.starting.delete(worker)
    if (worker.proven) this.failures = 0
    this.idle.push(worker)
    this.watchIdle(worker)
    this.serve()
  }

  private watchIdle(worker: PooledWorker): void {
    const { idleTimeout, min } = this.options
    worker.whenIdleFor(idleTimeout, () => {
      if (this.workers.size <= min) return this.watchIdle(worker)
      this.forget(worker)
      worker.close()
    })
  }

  private forget(worker: PooledWorker): void {
    const place = this.idle.indexOf(worker)
    if (place !== -1) this.idle.splice(place, 1)
  }

  private ended(worker: PooledWorker, failure: WorkerError | null): void {
    this.workers.delete(worker)
    this.forget(worker)
    const neverStarted = this.starting.delete(worker)
    if (this.closed !== null) {
      if (this.workers.size === 0) this.closed()
      return
    }
    if (failure !== null) this.failed(failure, neverStarted)
    this.serve()
  }

  private failed(failure: WorkerError, neverStarted: boolean): void {
    this.failures += 1
    this.notBefore = monotonic() + Math.min(longestPause, firstPause * 2 ** (this.failures - 1))
    if (!neverStarted) return
    const [request] = this.waiting
    if (request === undefined) return this.warn(`a ${this.options.kind} for tasks did not start: ${failure.message}`)
    this.waiting.delete(request)
    request.answer(defect(failure))
  }
}
