/**
 * Work that computes, in a thread: the handler is a module, this thread stays free, and even an endless loop is cancelled.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/21-cpu-bound.ts
 */
import { Console, Effect, Layer, Schedule } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import { CountPrimes, Spin } from "./21-cpu-bound.tasks.js"

// Relative to this file and with .js, as in an import; a second worker of the same module is another export.
const url = new URL("./21-cpu-bound.worker.js", import.meta.url)
const Handlers = Layer.merge(
  CountPrimes.toLayer(Task.module(url)),
  Spin.toLayer(Task.module(url, { export: "spin" }))
)

const Engine = TaskflowLayer({ announce: false, executors: { thread: { max: 1 } } }).pipe(
  Layer.provide(MemoryBackend.layer())
)

export const program = Effect.gen(function*() {
  const manager = yield* TaskManager

  const counted = yield* CountPrimes.enqueue({ below: 200_000 })
  const result = yield* CountPrimes.awaitResult(counted.taskId)
  const [line] = yield* manager.logs(counted.taskId)

  // The typed error of the worker arrives as itself.
  const refused = yield* Effect.flip(CountPrimes.execute({ below: 1e9 }))

  // There is one worker, so the second of these waits, and is not shown as running.
  const spinning = yield* Spin.enqueue()
  const waiting = yield* CountPrimes.enqueue({ below: 100 })
  yield* Effect.repeat(manager.get(spinning.taskId), {
    until: ({ progress }) => progress?.message === "spinning",
    schedule: Schedule.spaced("20 millis")
  })
  const meanwhile = (yield* manager.get(waiting.taskId)).status
  yield* manager.cancel(spinning.taskId)

  return {
    ...result,
    line: `${line?.message} ${line?.annotations}`,
    refused: refused._tag === "TooFar" ? refused.most : refused._tag,
    meanwhile,
    spinning: (yield* manager.awaitResult(spinning.taskId)).status,
    waiting: yield* CountPrimes.awaitResult(waiting.taskId)
  }
}).pipe(Effect.provide(Handlers.pipe(Layer.provideMerge(Engine))))

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
