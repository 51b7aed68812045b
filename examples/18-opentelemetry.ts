/**
 * One trace from the request to the task, which another process runs and retries. Any OTLP collector shows it; without one at
 * port 4318 the end takes some ten seconds, and the spans are lost.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/18-opentelemetry.ts
 */
import { NodeSdk } from "@effect/opentelemetry"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { BatchSpanProcessor } from "@opentelemetry/sdk-trace-base"
import { Console, Effect, Layer, Schema } from "effect"
import { Task, TaskContext, TaskflowLayer, TaskManager } from "effect-taskflow"
import { SqliteBackend } from "effect-taskflow/sqlite"

class SmtpError extends Schema.TaggedError<SmtpError>()("SmtpError", { code: Schema.Number }) {}

const Mail = Task.make("mail", {
  payload: { to: Schema.String },
  error: SmtpError,
  retry: { retries: 1, delay: "100 millis" }
})

// What a handler does is inside the span of its attempt: `task.run mail`.
const MailHandler = Mail.toLayer(({ to }) =>
  Effect.gen(function*() {
    const { attempt } = yield* TaskContext.current
    yield* Effect.log(`mail to ${to}`)
    if (attempt === 0) yield* new SmtpError({ code: 421 })
  }).pipe(Effect.withSpan("smtp.send"))
)

const telemetry = (serviceName: string, url: string) =>
  NodeSdk.layer(() => ({
    resource: { serviceName },
    spanProcessor: new BatchSpanProcessor(new OTLPTraceExporter({ url }))
  }))

/** Each instance is a process in production; here they are two engines on one file. */
const instance = (filename: string) =>
  TaskflowLayer({ announce: false, poll: { min: "50 millis", max: "1 second" } }).pipe(
    Layer.provide(SqliteBackend.layer({ filename }))
  )

export const program = (filename: string, url: string) => {
  // The tracer is below the handlers: attempts are traced with what was there when their handler was built.
  const Worker = MailHandler.pipe(
    Layer.provideMerge(instance(filename)),
    Layer.provide(telemetry("worker", url))
  )
  const Web = Layer.provideMerge(instance(filename), telemetry("web", url))

  const request = Effect.gen(function*() {
    const { traceId } = yield* Effect.currentSpan
    const { taskId } = yield* Mail.enqueue({ to: "ada@example.com" })
    return { traceId, taskId }
  }).pipe(Effect.withSpan("POST /signup", { kind: "server" }))

  return Effect.gen(function*() {
    yield* Layer.build(Worker) // runs until the scope closes
    return yield* Effect.gen(function*() {
      const { taskId, traceId } = yield* request
      const { attempts, status } = yield* Effect.flatMap(TaskManager, (manager) => manager.awaitResult(taskId))
      return { traceId, status, attempts }
    }).pipe(Effect.provide(Web))
  }).pipe(Effect.scoped) // the exporters have sent everything when this returns
}

if (process.argv[1] === import.meta.filename) {
  const collector = process.env["OTEL_EXPORTER_OTLP_ENDPOINT"] ?? "http://127.0.0.1:4318"
  await Effect.runPromise(Effect.flatMap(program("traced.db", `${collector}/v1/traces`), Console.log))
}
