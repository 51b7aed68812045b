/**
 * Background tasks: committed when they are added, started when the response is out, cancelled with a route that fails.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/15-background-tasks.ts
 */
import { HttpLayerRouter, HttpServerResponse } from "@effect/platform"
import { Console, Effect, Layer, Schema } from "effect"
import { BackgroundTasks, MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"

const Mail = Task.make("mail", { payload: { to: Schema.String } })
const Audit = Task.make("audit", { payload: { what: Schema.String }, eager: true })

const Handlers = Layer.mergeAll(
  Mail.toLayer(({ to }) => Effect.log(`mail to ${to}`)),
  Audit.toLayer(({ what }) => Effect.log(what))
)

const Signup = HttpLayerRouter.add(
  "POST",
  "/signup/:name",
  Effect.gen(function*() {
    const background = yield* BackgroundTasks
    const { name } = (yield* HttpLayerRouter.params) as { readonly name: string }
    // Eager, as its definition says: it starts now and stays whatever becomes of this request.
    const audit = yield* background.add(Audit, { what: `${name} signs up` })
    const mail = yield* background.add(Mail, { to: name })
    if (name === "mallory") return HttpServerResponse.unsafeJson({ audit, mail }, { status: 500 })
    const { status } = yield* Effect.flatMap(TaskManager, ({ get }) => get(mail.taskId))
    return HttpServerResponse.unsafeJson({ audit, mail, status }, { status: 202 })
  }).pipe(Effect.catchTags({
    // More than a request may hold, or a backend that is away: the client is told.
    TaskHoldLimit: ({ message }) => HttpServerResponse.text(message, { status: 413 }),
    TaskBackendError: () => HttpServerResponse.empty({ status: 503 })
  }))
).pipe(Layer.provide(BackgroundTasks.middleware.layer))

const Engine = TaskflowLayer({ announce: false }).pipe(Layer.provide(MemoryBackend.layer()))

const Answer = Schema.Struct({
  audit: Schema.Struct({ taskId: Schema.String }),
  mail: Schema.Struct({ taskId: Schema.String }),
  status: Schema.optional(Schema.String)
})

export const program = Effect.gen(function*() {
  const engine = yield* Effect.context<TaskManager>()
  const routes = Layer.provide(Signup, Layer.succeedContext(engine))
  const { handler } = yield* Effect.acquireRelease(
    Effect.sync(() => HttpLayerRouter.toWebHandler(routes, { disableLogger: true })),
    ({ dispose }) => Effect.promise(dispose)
  )
  const signUp = (name: string) =>
    Effect.promise(() => handler(new Request(`http://localhost/signup/${name}`, { method: "POST" }), engine))
  const ended = (taskId: string) =>
    Effect.map(Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId)), ({ status }) => status)

  const ada = yield* signUp("ada")
  const answer = yield* Schema.decodeUnknown(Answer)(yield* Effect.promise(() => ada.json()))
  const mallory = yield* signUp("mallory")
  const failed = yield* Schema.decodeUnknown(Answer)(yield* Effect.promise(() => mallory.json()))
  return {
    ada: { answered: ada.status, meanwhile: answer.status, mail: yield* ended(answer.mail.taskId) },
    mallory: {
      answered: mallory.status,
      audit: yield* ended(failed.audit.taskId),
      mail: yield* ended(failed.mail.taskId)
    }
  }
}).pipe(Effect.provide(Handlers.pipe(Layer.provideMerge(Engine))), Effect.scoped)

if (process.argv[1] === import.meta.filename) await Effect.runPromise(Effect.flatMap(program, Console.log))
