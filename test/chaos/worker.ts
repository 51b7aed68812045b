/**
 * One process of the crash tests: an engine on the shared backend, both handlers, and a share of the enqueueing.
 *
 * What it says must be true even when it is killed a microsecond later: an acknowledged task is one line in a file, written
 * synchronously after `enqueue` returned; what a handler did is a row committed before it goes on.
 */
import * as fs from "node:fs"
import { NodeRuntime } from "@effect/platform-node"
import type { SqlError } from "@effect/sql/SqlError"
import { Context, Effect, Layer, Logger, Metric, MetricState, Schedule } from "effect"
import { TaskContext, TaskflowLayer, TaskSchedule } from "effect-taskflow"
import * as Effects from "./support/effects.js"
import { Again, Once, type Orders, random, type Ticking, type ToWorker } from "./support/orders.js"
import { backendOf, clientOf } from "./support/places.js"

const orders = JSON.parse(process.argv[2]!) as Orders // safe: the supervisor wrote it
const { effects, life } = orders

class Rows extends Context.Tag("chaos/Rows")<Rows, (what: Effects.What) => Effect.Effect<void, never, TaskContext>>() {}

const isBusy = (error: SqlError): boolean => {
  const { cause } = error
  return cause instanceof Error && "code" in cause && String(cause.code).startsWith("SQLITE_BUSY")
}

const RowsLive = Layer.scoped(
  Rows,
  Effect.gen(function*() {
    const sql = yield* clientOf(effects)
    // The driver would wait with the whole process standing still, heartbeats and all.
    if (effects.kind === "sqlite") yield* sql.unsafe("PRAGMA busy_timeout = 0")
    return (what) =>
      Effect.flatMap(
        TaskContext,
        ({ fence, taskId }) =>
          Effect.suspend(() => Effects.add(sql, effects, { taskId, claim: fence, what, life, at: Date.now() }))
      ).pipe(
        // A task must not fail because the witness was busy. What was busy was not applied.
        Effect.retry({ schedule: Schedule.jittered(Schedule.spaced("5 millis")), times: 1_000, while: isBusy }),
        Effect.orDie,
        Effect.asVoid
      )
  })
)

const work = ({ millis }: { readonly millis: number }) =>
  Effect.gen(function*() {
    const row = yield* Rows
    yield* row("started")
    yield* Effect.sleep(millis)
    yield* row("finished")
  })

const Engine = TaskflowLayer({
  lease: orders.lease * 1_000,
  sameHostDetection: orders.sameHost,
  shutdownTimeout: "10 seconds",
  announce: false
}).pipe(Layer.provide(backendOf(orders.tasks)))

const Handlers = Layer.merge(Again.toLayer(work), Once.toLayer(work)).pipe(Layer.provide(RowsLive))

// ── scheduling ───────────────────────────────────────────────────────────────────────────────────────────────────────

const passedOver = Effect.map(
  Metric.snapshot,
  (pairs) =>
    pairs.reduce(
      (sum, { metricKey: { name, tags }, metricState }) =>
        name === "taskflow_schedule_slots_total" && tags.some(({ value }) => value === "missed")
          && MetricState.isCounterState(metricState)
          ? sum + Number(metricState.count)
          : sum,
      0
    )
)

/** Says how many slots it passed over, as soon as it knows. */
const telling = Effect.gen(function*() {
  const file = fs.openSync(`${orders.acks}.slots`, "a")
  let told = 0
  const tell = Effect.map(passedOver, (count) => {
    if (count !== told) fs.writeSync(file, `${life} ${count}\n`)
    told = count
  })
  yield* Effect.addFinalizer(() => tell)
  yield* Effect.forkScoped(Effect.repeat(tell, Schedule.spaced("20 millis")))
})

const scheduled = ({ every, misfire, name }: Ticking) =>
  Layer.merge(
    TaskSchedule.layer(Again, { name, every, misfire, maxCatchUp: 1_000, payload: { millis: 0 } }),
    Layer.scopedDiscard(telling)
  )

const Schedules = orders.schedule === null ? Layer.empty : scheduled(orders.schedule)

// ── enqueueing ───────────────────────────────────────────────────────────────────────────────────────────────────────

const told: Promise<number> = orders.since === null
  ? new Promise((resolve) => process.on("message", ({ since }: ToWorker) => resolve(since)))
  : Promise.resolve(orders.since)

// Nobody is left to judge, and nobody would end this process.
process.on("disconnect", () => process.exit(1))

const enqueueAll = Effect.gen(function*() {
  const { over, share } = orders
  const file = fs.openSync(orders.acks, "a")
  process.send!({ _tag: "Ready" })
  const since = yield* Effect.promise(() => told)
  const next = random(orders.seed)
  let acknowledged = orders.acknowledged

  const enqueue = (n: number) => {
    const requeue = n % 2 === 0
    return (requeue ? Again : Once).enqueue({ millis: 50 + Math.floor(next() * 450) }).pipe(
      Effect.map(({ taskId }) => {
        fs.writeSync(file, `${taskId} ${requeue ? "again" : "once"}\n`)
        acknowledged += 1
      }),
      Effect.catchAll((error) => Effect.logWarning("enqueue failed", error))
    )
  }

  while (acknowledged < share) {
    const due = Math.min(share, Math.floor(share * (Date.now() - since) / (over * 1_000)))
    const from = acknowledged
    const count = Math.min(due - from, orders.atOnce)
    yield* Effect.forEach(Array.from({ length: Math.max(0, count) }, (_, n) => from + n), enqueue, {
      concurrency: "unbounded",
      discard: true
    })
    yield* Effect.sleep("5 millis")
  }
})

// Beside the engine, so that the process goes on working when everything is enqueued.
const Main = Layer.merge(Layer.scopedDiscard(Effect.forkScoped(enqueueAll)), Schedules).pipe(
  Layer.provide(Handlers),
  Layer.provide(Engine)
)

NodeRuntime.runMain(Effect.provide(Layer.launch(Main), Logger.logFmt), { disablePrettyLogger: true })
