/**
 * What `bench:backends` measures, in a process of its own on tables of its own.
 */
import { readFileSync } from "node:fs"
import { Effect, type ManagedRuntime } from "effect"
import type { TaskManager } from "effect-taskflow"
import { redisClient } from "../../support/databases.js"
import * as Drivers from "./drivers.js"
import type { Elapsed } from "./elapsed.js"
import * as Report from "./report.js"
import * as Rss from "./rss.js"
import * as Statements from "./statements.js"
import * as Stores from "./stores.js"
import * as Workload from "./workload.js"

/**
 * `raw`: the driver alone. `enqueue`: one after another, awaited, on an engine without a handler, so nothing is claimed.
 * `enqueueHandled`: the same while the tasks run. `many`: `enqueueMany` by 500, one after another, unclaimed. `drain`: all
 * is there, then the handler comes. `end`: all chunks of 500 at once, until the last task has succeeded. `single`: the same
 * by 64 producers that enqueue one task each. `idle`: each task on a quiet engine.
 */
export interface Request {
  readonly measure: "raw" | "enqueue" | "enqueueHandled" | "many" | "drain" | "end" | "single" | "idle"
  readonly kind: Stores.Kind
  readonly full: boolean
  readonly task: Workload.Kind
  readonly n: number
}

export interface Answer {
  readonly elapsed: Elapsed
  readonly counts: Statements.Counts
  /** Bytes that the server wrote into its log meanwhile, for everyone (Redis: 0 without one); on SQLite what this process wrote. */
  readonly written: number
  /** MiB. */
  readonly peak: number
  /** Milliseconds; of `idle`. */
  readonly latency: { readonly p50: number; readonly p95: number; readonly p99: number } | null
  /** Of `raw`. */
  readonly roundTrips: Elapsed | null
}

/** Before each measure, on the same engine; a quarter of it where tasks come one after another. */
export const warmUp = 2_000

/** Between two tasks of `idle`. */
export const pause = 5

const bytesWritten = (store: Stores.Store): Effect.Effect<number, unknown> => {
  if (store.kind === "sqlite") {
    return Effect.sync(() => Number(/wchar: (\d+)/.exec(readFileSync("/proc/self/io", "utf8"))?.[1]))
  }
  if (!Stores.isSql(store)) {
    return Effect.scoped(Effect.flatMap(redisClient(), (client) =>
      Effect.map(
        Effect.promise(() => client.info("persistence")),
        (text) => Number(/aof_current_size:(\d+)/.exec(text)?.[1] ?? 0)
      )))
  }
  const sql = store.kind === "postgres"
    ? "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 AS value"
    : "SELECT CAST(VARIABLE_VALUE AS DOUBLE) AS value FROM information_schema.GLOBAL_STATUS " +
      "WHERE VARIABLE_NAME = 'INNODB_OS_LOG_WRITTEN'"
  return Effect.scoped(Effect.map(
    Effect.flatMap(Stores.client(store), (client) => client.unsafe<{ readonly value: number }>(sql)),
    ([row]) => row!.value
  ))
}

const warmOf = (producers: Workload.Producers): number => producers === "sequential" ? warmUp / 4 : warmUp

type Measured = Pick<Answer, "elapsed"> & Partial<Answer>

// What is measured, after warming up, by whether handlers are there.
const measureOf = ({ measure, n, task }: Request): {
  readonly handled: boolean
  readonly warm: Effect.Effect<unknown, unknown, TaskManager>
  readonly run: Effect.Effect<Measured, unknown, TaskManager>
} => {
  const enqueue = (producers: Workload.Producers) => ({
    handled: false,
    warm: Workload.enqueueOnly(task, producers, warmOf(producers)),
    run: Effect.map(Workload.enqueueOnly(task, producers, n), (elapsed) => ({ elapsed }))
  })
  const handled = (producers: Workload.Producers, until: "enqueued" | "ended") => ({
    handled: true,
    warm: Workload.endToEnd(task, producers, warmOf(producers)),
    run: Effect.map(Workload.endToEnd(task, producers, n), (done) => ({ elapsed: done[until] }))
  })
  switch (measure) {
    case "raw":
      throw new Error("raw has no engine")
    case "enqueue":
      return enqueue("sequential")
    case "many":
      return enqueue("sequentialChunks")
    case "enqueueHandled":
      return handled("sequential", "enqueued")
    case "end":
      return handled("chunks", "ended")
    case "single":
      return handled("single", "ended")
    case "drain":
      return {
        handled: false,
        warm: Effect.zipRight(
          Workload.withHandlers(Workload.endToEnd(task, "chunks", warmUp)),
          Workload.enqueueOnly(task, "chunks", n)
        ),
        run: Effect.map(Workload.drain(n), (elapsed) => ({ elapsed }))
      }
    case "idle":
      return {
        handled: true,
        warm: Workload.endToEnd(task, "sequential", warmOf("sequential")),
        run: Effect.map(Workload.latencies(n, pause), (millis) => {
          const at = (share: number) => Report.quantile(millis, share)
          const zero = { wall: 0, cpu: 0 }
          return { elapsed: zero, latency: { p50: at(0.5), p95: at(0.95), p99: at(0.99) } }
        })
      }
  }
}

/** Computes the answer on fresh tables. */
export const compute = (request: Request): Promise<Answer> =>
  Effect.gen(function*() {
    const sent = Statements.count(request.kind)
    const store = { ...yield* Stores.fresh(request.kind), full: request.full }
    const answer = (measured: Measured): Answer => ({
      latency: null,
      roundTrips: null,
      ...measured,
      counts: sent(),
      written: 0,
      peak: Rss.now().peak
    })
    if (request.measure === "raw") {
      const { inserts, roundTrips } = yield* Effect.promise(() => Drivers.limit(store, request.n))
      return answer({ elapsed: inserts, roundTrips })
    }
    const { handled, run, warm } = measureOf(request)
    const engine = Workload.engineAlone(Stores.backend(store)) as ManagedRuntime.ManagedRuntime<TaskManager, never>
    return yield* Effect.promise(() =>
      engine.runPromise(
        Effect.gen(function*() {
          yield* warm
          const before = yield* bytesWritten(store)
          sent()
          const measured = answer(yield* run)
          return { ...measured, written: (yield* bytesWritten(store)) - before }
        }).pipe(handled ? Workload.withHandlers : (self) => self, Effect.orDie)
      ).finally(() => engine.dispose())
    )
  }).pipe(Effect.scoped, Effect.runPromise)
