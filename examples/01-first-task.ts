/**
 * A first task: define it, give it a handler, run it, look at its record.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/01-first-task.ts
 */
import { Console, Effect, Layer, Schema } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"

// The definition is a value. Code that only enqueues imports this and nothing else.
const Greet = Task.make("greet", {
  payload: { name: Schema.String },
  success: Schema.String
})

// The handler is a Layer. It is built once, in main.
const GreetHandler = Greet.toLayer(({ name }) => Effect.succeed(`hello, ${name}`))

// The engine, and where its tasks are kept. Call TaskflowLayer once.
const Engine = TaskflowLayer().pipe(Layer.provide(MemoryBackend.layer()))

const Main = GreetHandler.pipe(Layer.provideMerge(Engine))

export const program = Effect.gen(function*() {
  // `enqueue` returns once the task is accepted. It does not wait for the run.
  const { taskId } = yield* Greet.enqueue({ name: "Ada" })

  // Later, anywhere: the typed result by id.
  const greeting = yield* Greet.awaitResult(taskId)

  // `execute` is both in one.
  const another = yield* Greet.execute({ name: "Grace" })

  const manager = yield* TaskManager
  const { attempts, status, taskName } = yield* manager.get(taskId)
  return { greeting, another, record: { taskName, status, attempts } }
}).pipe(Effect.provide(Main))

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
