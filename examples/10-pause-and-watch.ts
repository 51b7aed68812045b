/**
 * Pausing a task name, and watching what changes in every instance.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/10-pause-and-watch.ts
 */
import { Console, Effect, Layer, Schema } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"

const Publish = Task.make("publish", { payload: { page: Schema.String } })

const Engine = Publish.toLayer(() => Effect.void).pipe(
  Layer.provideMerge(TaskflowLayer()),
  Layer.provide(MemoryBackend.layer())
)

export const program = Effect.gen(function*() {
  const manager = yield* TaskManager
  const { cursor } = yield* manager.changesAfter()

  // Holds for every instance, until somebody resumes. What runs goes on, new tasks wait.
  yield* manager.pause("publish", { by: "the deploy" })
  const { taskId } = yield* Publish.enqueue({ page: "/prices" })
  yield* manager.awaitIdle
  const whilePaused = (yield* manager.get(taskId)).status
  const { awaiting, paused } = yield* manager.pauses

  yield* manager.resume("publish")
  yield* Publish.awaitResult(taskId)

  // One page of what changed since; `manager.changes(cursor)` is the same as a Stream that goes on.
  const { changes } = yield* manager.changesAfter(cursor)
  return {
    whilePaused,
    pausedBy: paused.map(({ by }) => by),
    stillToHeed: awaiting.length,
    last: changes.flatMap((change) => change._tag === "Changed" ? [change.status] : []).at(-1)
  }
}).pipe(Effect.provide(Engine))

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
