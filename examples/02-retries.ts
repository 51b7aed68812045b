/**
 * Retries and typed errors. Nothing retries unless the definition says so.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/02-retries.ts
 */
import { Console, Effect, Layer, Schedule, Schema } from "effect"
import { MemoryBackend, Task, TaskContext, TaskflowLayer, TaskManager } from "effect-taskflow"

class GatewayError extends Schema.TaggedError<GatewayError>()("GatewayError", { status: Schema.Number }) {}

// As data: up to 3 retries (4 runs), 20, 40 and 80 ms apart. 4xx answers are not worth a retry.
const Charge = Task.make("charge", {
  payload: { cents: Schema.Number },
  success: Schema.String,
  error: GatewayError,
  timeout: "1 second",
  retry: {
    retries: 3,
    delay: "20 millis",
    backoff: 2,
    while: (error) => error._tag !== "GatewayError" || error.status >= 500
  }
})

// As a Schedule: it is fed the typed error, a timeout or a defect.
const Ping = Task.make("ping", {
  error: GatewayError,
  retry: Schedule.spaced("10 millis").pipe(Schedule.intersect(Schedule.recurs(2)))
})

const ChargeHandler = Charge.toLayer(({ cents }) =>
  Effect.gen(function*() {
    const { attempt } = yield* TaskContext.current // 0 on the first run
    if (cents < 0) return yield* new GatewayError({ status: 400 })
    if (cents === 0) return yield* Task.unrecoverable(new GatewayError({ status: 500 }))
    if (attempt < 2) return yield* new GatewayError({ status: 503 })
    return `charged ${cents} at attempt ${attempt}`
  })
)

const PingHandler = Ping.toLayer(() => new GatewayError({ status: 504 }))

const Engine = TaskflowLayer().pipe(Layer.provide(MemoryBackend.layer()))

export const program = Effect.gen(function*() {
  const manager = yield* TaskManager

  const paid = yield* Charge.execute({ cents: 1_200 })

  // `execute` fails with the task's own error, typed.
  const refused = yield* Charge.execute({ cents: -1 }).pipe(
    Effect.catchTag("GatewayError", ({ status }) => Effect.succeed(`refused with ${status}`))
  )
  const final = yield* Effect.flip(Charge.execute({ cents: 0 }))

  const { taskId } = yield* Ping.enqueue()
  const ping = yield* manager.awaitResult(taskId)

  const runs = (yield* manager.list({ order: "oldest" })).items.map(({ attempts, status, stopReason, taskName }) =>
    `${taskName}: ${attempts} runs, ${status}${stopReason === null ? "" : ` (${stopReason})`}`
  )
  return { paid, refused, final: final._tag, ping: ping.status, runs }
}).pipe(Effect.provide(Layer.merge(ChargeHandler, PingHandler).pipe(Layer.provideMerge(Engine))))

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
