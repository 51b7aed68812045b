/**
 * Schedules: of the code and made at run time, caught up after a downtime, triggered by hand.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/20-schedules.ts
 */
import { Console, Effect, Layer, Schema } from "effect"
import {
  MemoryBackend,
  Task,
  TaskBackend,
  TaskContext,
  TaskflowLayer,
  TaskManager,
  TaskSchedule
} from "effect-taskflow"

const Sweep = Task.make("sweep", { payload: { folder: Schema.String } })
const Nightly = Task.make("nightly_report", { success: Schema.String })

// Which slot a run is for: the moment it stands for, however late it runs.
const SweepHandler = Sweep.toLayer(() =>
  Effect.flatMap(TaskContext.current, ({ schedule }) => Effect.log(`for the slot of ${schedule?.slot}`))
)
const NightlyHandler = Nightly.toLayer(() =>
  Effect.map(TaskContext.current, ({ schedule, source }) => `${schedule?.name}, ${source}`)
)

const Schedules = Layer.mergeAll(
  // Each slot is wanted, also those of a downtime: at most the newest 50.
  TaskSchedule.layer(Sweep, { every: "100 millis", payload: { folder: "/tmp" }, misfire: "all", maxCatchUp: 50 }),
  // Five fields, or six with seconds before them. After a downtime over 3:00 it runs once, and never beside itself.
  TaskSchedule.layer(Nightly, { cron: "0 3 * * *", timezone: "Europe/Rome", overlap: "skip" })
)

const Engine = Layer.mergeAll(SweepHandler, NightlyHandler, Schedules).pipe(
  Layer.provideMerge(TaskflowLayer({ announce: false }))
)

const slotsOf = (schedule: string, least: number): Effect.Effect<ReadonlyArray<number>, unknown, TaskManager> =>
  Effect.gen(function*() {
    const { items } = yield* (yield* TaskManager).list({ schedule, order: "oldest" })
    if (items.length >= least) return items.map((record) => record.schedule!.slot)
    return yield* Effect.delay(slotsOf(schedule, least), "20 millis")
  })

export const program = Effect.gen(function*() {
  // What is kept here outlives the engine, as a database does.
  const backend = yield* MemoryBackend.make()
  const start = Effect.provide(Layer.provide(Engine, Layer.succeed(TaskBackend, backend)))

  yield* Effect.scoped(start(slotsOf("sweep", 2)))
  yield* Effect.sleep("350 millis") // nobody is there to fire
  return yield* Effect.gen(function*() {
    const { schedules } = yield* TaskManager
    const slots = yield* slotsOf("sweep", 7)
    const gaps = slots.slice(1).map((slot, index) => slot - slots[index]!)

    const run = yield* schedules.trigger("nightly_report")
    const report = yield* Nightly.awaitResult(run.taskId)

    // Kept in the backend, fired by every instance, until it is removed.
    const made = yield* schedules.upsert(Sweep, { name: "sweep /var", every: "1 hour", payload: { folder: "/var" } })
    yield* schedules.pause("sweep /var")
    const { items } = yield* schedules.list()
    return {
      noSlotIsLostOrDoubled: gaps.every((gap) => gap === 100),
      report,
      twoHoursOf: schedules.next(made, 2).map((slot) => slot - made.anchor),
      known: items.map(({ name, origin, pausedAt }) => `${name}: ${origin}${pausedAt === null ? "" : ", paused"}`),
      removed: yield* schedules.remove("sweep /var")
    }
  }).pipe(start, Effect.scoped)
})

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
