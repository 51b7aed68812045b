/**
 * Slots, priorities, cancel, and running a failed task again.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/06-priority-and-cancel.ts
 */
import { Console, Deferred, Effect, Layer, Schema } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"

const Job = Task.make("job", { payload: { name: Schema.String } })

// One slot, so that the order shows.
const Engine = TaskflowLayer({ maxConcurrentTasks: 1 }).pipe(Layer.provide(MemoryBackend.layer()))

export const program = Effect.gen(function*() {
  const started: Array<string> = []
  const cleaned: Array<string> = []
  const firstRuns = yield* Deferred.make<void>()

  const JobHandler = Job.toLayer(({ name }) =>
    Effect.gen(function*() {
      started.push(name)
      if (name !== "first") return
      yield* Deferred.succeed(firstRuns, undefined)
      yield* Effect.never // until it is cancelled
    }).pipe(Effect.onInterrupt(() => Effect.sync(() => cleaned.push(name))))
  )

  return yield* Effect.gen(function*() {
    const manager = yield* TaskManager
    const first = yield* Job.enqueue({ name: "first" })
    yield* Deferred.await(firstRuns)

    // These wait: the only slot is taken. Higher priority first, equals in order of arrival.
    yield* Job.enqueue({ name: "low" }, { priority: -1 })
    yield* Job.enqueue({ name: "normal" })
    yield* Job.enqueue({ name: "urgent" }, { priority: 9 })
    const unwanted = yield* Job.enqueue({ name: "unwanted" })
    const tomorrow = yield* Job.enqueue({ name: "tomorrow" }, { delay: "1 day" })

    // What waits is cancelled at once and never starts. What runs is interrupted, and its finalizers run.
    const waiting = yield* manager.cancel(unwanted.taskId)
    const delayed = yield* manager.cancel(tomorrow.taskId)
    const running = yield* manager.cancel(first.taskId)
    const stopped = yield* Effect.flip(Job.awaitResult(first.taskId))

    yield* manager.awaitIdle

    // A cancelled, failed or interrupted task can be run again: as a new task that names the old one.
    const again = yield* manager.retry(unwanted.taskId)
    yield* Job.awaitResult(again)
    const { retriedAs } = yield* manager.get(unwanted.taskId)

    return {
      outcomes: { waiting, delayed, running },
      reason: stopped._tag === "TaskStopped" ? stopped.reason : stopped._tag,
      started,
      cleaned,
      retried: retriedAs === again,
      counts: (yield* manager.stats()).counts
    }
  }).pipe(Effect.provide(JobHandler))
}).pipe(Effect.provide(Engine))

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
