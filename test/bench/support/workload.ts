/**
 * What the engine is measured with: tasks that do next to nothing, and ways to put them in. For any backend.
 *
 * Everything that an application gets is on: records, journal, events, TaskContext, log capture, schemas on both sides.
 */
import { Deferred, Effect, Layer, Logger, LogLevel, ManagedRuntime, Schema, Stream } from "effect"
import { Task, type TaskBackend, TaskContext, TaskflowLayer, type TaskflowOptions, TaskManager } from "effect-taskflow"
import * as Elapsed from "./elapsed.js"

const fields = { id: Schema.Number, to: Schema.String, note: Schema.String }

/** Its start time is told to whoever set `onStart`. */
export const Noop = Task.make("bench.noop", { payload: fields })
/** Ten lines at info level, captured on the record; no console sees them. */
export const Logging = Task.make("bench.logging", { payload: fields })
/** Fails at the first run, succeeds at the second. */
export const Failing = Task.make("bench.failing", { payload: fields, error: Schema.String, retry: { retries: 1 } })

export type Kind = "noop" | "logging" | "failing" | "large"

const taskOf = { noop: Noop, logging: Logging, failing: Failing, large: Noop } as const

/** About 100 bytes of JSON; for `large` about 10 kB. */
const payloadOf = (kind: Kind) => {
  const note = "x".repeat(kind === "large" ? 10_000 : 46)
  return (id: number) => ({ id, to: "somebody@example.com", note })
}

let onStart: () => void = () => {}

const tenLines = Effect.gen(function*() {
  for (let line = 1; line <= 10; line += 1) yield* Effect.log(`line ${line} of what this handler has to say`)
})

const handlers = Layer.mergeAll(
  Noop.toLayer(() => Effect.sync(onStart)),
  Logging.toLayer(() => tenLines),
  Failing.toLayer(() =>
    Effect.flatMap(TaskContext.current, ({ attempt }) => attempt === 0 ? Effect.fail("the first run") : Effect.void)
  )
)

/** stdout is for measurements, and what a console costs is not the engine's. Warnings are shown: none is expected. */
export const warnings = Logger.replace(
  Logger.defaultLogger,
  Logger.make(({ logLevel, message }) => {
    if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) process.stderr.write(`${logLevel.label}: ${message}\n`)
  })
)

/** An engine with its handlers on a backend. */
export const engine = (backend: Layer.Layer<TaskBackend>, options?: TaskflowOptions) =>
  ManagedRuntime.make(
    Layer.provideMerge(handlers, Layer.orDie(TaskflowLayer(options)).pipe(Layer.provide(backend))).pipe(
      Layer.provide(warnings)
    )
  )

const maxConcurrentTasks = Number(process.env["BENCH_SLOTS"] ?? 100)

/** An engine without handlers: what it accepts stays unclaimed until `withHandlers`. */
export const engineAlone = (backend: Layer.Layer<TaskBackend, unknown>) =>
  ManagedRuntime.make(
    Layer.orDie(
      TaskflowLayer({ unhandledAfter: "1 hour", announce: false, maxConcurrentTasks }).pipe(Layer.provide(backend))
    )
      .pipe(Layer.provide(warnings))
  )

/** Registers the handlers while `self` runs. */
export const withHandlers = <A, E>(self: Effect.Effect<A, E, TaskManager>): Effect.Effect<A, E, TaskManager> =>
  Effect.scoped(Effect.zipRight(Layer.build(Layer.provide(handlers, warnings)), self))

/**
 * How tasks come in. `many`: four producers with chunks of 1,000. `single`: 64 producers, one task at a time each. `chunks`:
 * all chunks of 500 at once. `sequentialChunks`: one producer, chunks of 500. `sequential`: one producer, one task at a time.
 */
export type Producers = "many" | "single" | "chunks" | "sequentialChunks" | "sequential"

export interface EndToEnd {
  /** Until the last enqueue returned, and until the last task had ended. */
  readonly enqueued: Elapsed.Elapsed
  readonly ended: Elapsed.Elapsed
  /** The most tasks that were accepted and had not ended. */
  readonly backlog: number
}

// Producers share one counter and wait for every enqueue: the engine's own back-pressure is all that slows them.
const produce = (kind: Kind, producers: Producers, n: number) => {
  // safe: all take the same payload, and what else they differ in is not looked at
  const task = taskOf[kind] as typeof Noop
  const payload = payloadOf(kind)
  let next = 0
  const chunk = (size: number) =>
    Effect.suspend(() => {
      const from = next
      next = Math.min(n, from + size)
      return task.enqueueMany(Array.from({ length: next - from }, (_, index) => payload(from + index)))
    })
  const chunks = (size: number) =>
    Effect.gen(function*() {
      while (next < n) yield* chunk(size)
    })
  const singles = Effect.gen(function*() {
    while (next < n) {
      next += 1
      yield* task.enqueue(payload(next))
    }
  })
  switch (producers) {
    case "many":
      return Effect.all(Array.from({ length: 4 }, () => chunks(1_000)), { concurrency: "unbounded", discard: true })
    case "chunks": {
      const all = Array.from({ length: Math.ceil(n / 500) }, () => chunk(500))
      return Effect.all(all, { concurrency: "unbounded", discard: true })
    }
    case "sequentialChunks":
      return chunks(500)
    case "single":
      return Effect.all(Array.from({ length: 64 }, () => singles), { concurrency: "unbounded", discard: true })
    case "sequential":
      return singles
  }
}

/** Enqueues `n` tasks and waits until all are accepted. */
export const enqueueOnly = Effect.fnUntraced(function*(kind: Kind, producers: Producers, n: number) {
  const elapsed = Elapsed.start()
  yield* produce(kind, producers, n)
  return elapsed()
})

/** Registers the handlers and waits until `n` tasks that wait for them have succeeded. */
export const drain = Effect.fnUntraced(function*(n: number) {
  const manager = yield* TaskManager
  const done = yield* Deferred.make<void>()
  let succeeded = 0
  const stop = manager.tap((event) => {
    if (event._tag !== "Succeeded") return
    succeeded += 1
    if (succeeded === n) Deferred.unsafeDone(done, Effect.void)
  })
  const elapsed = Elapsed.start()
  return yield* withHandlers(Effect.gen(function*() {
    yield* Deferred.await(done)
    stop()
    return elapsed()
  }))
})

/** Enqueues `n` tasks and waits until the last one has succeeded, as recorded. */
export const endToEnd = Effect.fnUntraced(function*(kind: Kind, producers: Producers, n: number) {
  const manager = yield* TaskManager
  const done = yield* Deferred.make<void>()
  let accepted = 0
  let succeeded = 0
  let backlog = 0
  const stop = manager.tap((event) => {
    if (event._tag === "Enqueued") {
      accepted += 1
      if (accepted - succeeded > backlog) backlog = accepted - succeeded
    } else if (event._tag === "Succeeded") {
      succeeded += 1
      if (succeeded === n) Deferred.unsafeDone(done, Effect.void)
    }
  })
  const elapsed = Elapsed.start()
  yield* produce(kind, producers, n)
  const enqueued = elapsed()
  yield* Deferred.await(done)
  const ended = elapsed()
  stop()
  return { backlog, ended, enqueued } satisfies EndToEnd
})

/** Reads the event stream until the scope closes; the answer tells how many were read. */
export const watch = Effect.gen(function*() {
  const manager = yield* TaskManager
  let events = 0
  yield* Effect.forkScoped(Stream.runForEach(manager.events, () => Effect.sync(() => events += 1)))
  yield* Effect.yieldNow()
  return () => events
})

/** Milliseconds from before `enqueue` until the handler runs, `n` times, each on an engine that has been idle. */
export const latencies = Effect.fnUntraced(function*(n: number, pause: number = 1) {
  const manager = yield* TaskManager
  const payload = payloadOf("noop")
  const measured: Array<number> = []
  let started = 0
  onStart = () => {
    started = performance.now()
  }
  for (let id = 0; id < n; id += 1) {
    yield* Effect.sleep(pause)
    const from = performance.now()
    const { taskId } = yield* Noop.enqueue(payload(id))
    yield* manager.awaitResult(taskId)
    measured.push(started - from)
  }
  onStart = () => {}
  return measured
})
