/**
 * Idempotency keys, many at once, and what `execute` can fail with.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/03-idempotency.ts
 */
import { Console, Effect, Layer, Schema } from "effect"
import { MemoryBackend, Task, TaskflowLayer } from "effect-taskflow"

let sent = 0

const Welcome = Task.make("welcome_mail", {
  // With `.pipe`: TypeScript infers nothing from the other spelling when the definition also holds callbacks.
  payload: { userId: Schema.String, template: Schema.String.pipe(Schema.optionalWith({ default: () => "welcome" })) },
  success: Schema.Struct({ messageId: Schema.String }),
  // The key of a payload, for calls that give none. Unique per task name.
  idempotencyKey: ({ template, userId }) => `${template}/${userId}`,
  tags: ({ userId }) => ({ userId })
})

const WelcomeHandler = Welcome.toLayer(({ template, userId }) =>
  Effect.sync(() => {
    sent += 1
    return { messageId: `${template}-${userId}-${sent}` }
  })
)

const Engine = TaskflowLayer().pipe(Layer.provide(MemoryBackend.layer()))

export const program = Effect.gen(function*() {
  // The second call gets the first task's id. Nothing runs twice.
  const first = yield* Welcome.enqueue({ userId: "u1" })
  const second = yield* Welcome.enqueue({ userId: "u1" })

  // `execute` with a key that is held awaits the task that holds it.
  const { messageId } = yield* Welcome.execute({ userId: "u1" })

  // Many in one commit; the options may depend on the payload.
  const many = yield* Welcome.enqueueMany(
    ["u2", "u3", "u2"].map((userId) => ({ userId })),
    (_, index) => ({ tags: { row: String(index) } })
  )
  yield* Effect.forEach(many, ({ taskId }) => Welcome.awaitResult(taskId))

  // A payload that does not fit is refused before anything is written.
  const refused = yield* Welcome.execute({ userId: 7 as unknown as string }).pipe(
    Effect.as("accepted"),
    Effect.catchTags({
      TaskArgumentError: ({ message, path }) => Effect.succeed(`${path} | ${message}`),
      TaskStopped: ({ reason }) => Effect.succeed(`ended without a value: ${reason}`),
      TaskBackendError: ({ method }) => Effect.succeed(`the backend failed in ${method}`)
    })
  )

  return {
    first: first._tag,
    second: second._tag,
    sameId: first.taskId === second.taskId,
    messageId,
    many: many.map(({ _tag }) => _tag),
    refused,
    sent
  }
}).pipe(Effect.provide(WelcomeHandler.pipe(Layer.provideMerge(Engine))))

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
