/**
 * An alerter: what failed is posted to a chat service, many failures as one message. A chat that is down delays no task.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/16-alerts.ts
 */
import { createServer } from "node:http"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { Console, Effect, Layer, Schedule, Schema, Stream } from "effect"
import { MemoryBackend, Task, TaskflowLayer, TaskObserver } from "effect-taskflow"

class CardError extends Schema.TaggedError<CardError>()("CardError", { message: Schema.String }) {}

const Charge = Task.make("charge", {
  payload: { cents: Schema.Int },
  error: CardError,
  retry: { retries: 1, delay: "10 millis" },
  tags: ({ cents }) => ({ size: cents > 1_000 ? "large" : "small" })
})

const ChargeHandler = Charge.toLayer(({ cents }) =>
  cents > 1_000 ? Effect.fail(new CardError({ message: `${cents} is too much` })) : Effect.void
)

const words = (event: TaskObserver.LifecycleEvent): string =>
  `${event.taskName} (${event.tags["size"]}) failed after ${event.retriesUsed} retry: ${event.error}`

// Of steps and lines from error up only: a task that failed for good, not every attempt.
const Alerts = (chat: string) =>
  TaskObserver.make({
    name: "alerts",
    minLevel: "error",
    run: (events) =>
      Effect.flatMap(HttpClient.HttpClient, (client) =>
        events.pipe(
          Stream.filter((event) => event._tag === "LifecycleEvent"),
          Stream.map(words),
          Stream.groupedWithin(20, "100 millis"),
          Stream.runForEach((lines) =>
            HttpClientRequest.post(chat).pipe(
              HttpClientRequest.bodyUnsafeJson({ text: [...lines].join("\n") }),
              HttpClient.filterStatusOk(client).execute,
              // Meanwhile events wait in the observer's buffer.
              Effect.retry({ times: 5, schedule: Schedule.exponential("50 millis") })
            )
          )
        ))
  }).pipe(Layer.provide(FetchHttpClient.layer))

export const program = (chat: string) =>
  Effect.gen(function*() {
    const charges = [500, 2_000, 3_000].map((cents) => Effect.either(Charge.execute({ cents })))
    const results = yield* Effect.all(charges, { concurrency: "unbounded" })
    return results.map(({ _tag }) => _tag)
  }).pipe(
    // What is buffered is delivered when the layer closes.
    Effect.provide(
      Layer.merge(ChargeHandler, Alerts(chat)).pipe(
        Layer.provideMerge(TaskflowLayer({ announce: false })),
        Layer.provide(MemoryBackend.layer())
      )
    )
  )

if (process.argv[1] === import.meta.filename) {
  // Stands in for the chat.
  const server = createServer((request, response) => {
    request.on("data", (body) => process.stdout.write(`chat: ${body}\n`)).on("end", () => response.end())
  }).listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" ? address?.port : undefined
    const url = process.env["CHAT_URL"] ?? `http://127.0.0.1:${port}`
    void Effect.runPromise(Effect.flatMap(program(url), Console.log)).finally(() => server.close())
  })
}
