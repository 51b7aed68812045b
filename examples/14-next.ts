/**
 * Next: the API below /tasks in the app router, and a route that enqueues. Three files of an application, here in one.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/14-next.ts
 */
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Console, Effect, Layer, Redacted, Schema, Stream } from "effect"
import { BackgroundTasks, MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHost } from "effect-taskflow/http"

// ── lib/tasks.ts ──────────────────────────────────────────────────────────────────────────────────────────────────
const Welcome = Task.make("welcome", { payload: { email: Schema.String } })

export const sent: Array<string> = []
const WelcomeHandler = Welcome.toLayer(({ email }) =>
  Effect.sleep("100 millis").pipe(Effect.zipRight(Effect.sync(() => void sent.push(email))))
)

const Main = WelcomeHandler.pipe(
  Layer.provideMerge(TaskflowLayer({ announce: false })),
  Layer.provide(MemoryBackend.layer())
)

// Next loads a module once for each bundle and again after every change: one engine a process is kept where all see it.
const shared = globalThis as { tasks?: TaskHost.TaskHost<TaskManager, unknown> }
export const tasks: TaskHost.TaskHost<TaskManager, unknown> = shared.tasks ??= TaskHost.make(Main, {
  prefix: "/tasks",
  auth: TaskAuth.basic({ username: "ops", password: Redacted.make("secret") })
})

// ── app/tasks/[[...path]]/route.ts ────────────────────────────────────────────────────────────────────────────────
export const runtime = "nodejs"
export const dynamic = "force-dynamic"
export const GET = (request: Request) => tasks.web(request)
export { GET as DELETE, GET as HEAD, GET as PATCH, GET as POST, GET as PUT }

// ── app/signup/route.ts: export const POST = signup ───────────────────────────────────────────────────────────────
export const signup = tasks.route(Effect.gen(function*() {
  const { email } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ email: Schema.String }))
  // Committed now, started when the response was handed over.
  const { taskId } = yield* Effect.flatMap(BackgroundTasks, (background) => background.add(Welcome, { email }))
  return HttpServerResponse.unsafeJson({ taskId }, { status: 202 })
}))

// ── app/events/route.ts: export const GET = events ────────────────────────────────────────────────────────────────
export const events = tasks.route(Effect.map(TaskManager, (manager) =>
  HttpServerResponse.stream(
    Stream.make(": connected\n\n").pipe(
      Stream.concat(Stream.map(manager.events, ({ event }) => `data: ${event._tag} ${event.taskId}\n\n`)),
      Stream.encodeText
    ),
    { contentType: "text/event-stream", headers: { "cache-control": "no-cache, no-transform" } }
  )))

// ── instrumentation.ts: waiting tasks start with the server, and end with it ──────────────────────────────────────
export const register = async () => {
  await tasks.start()
  process.once("SIGTERM", () => void tasks.dispose())
}

if (process.argv[1] === import.meta.filename) {
  const body = JSON.stringify({ email: "ada@example.com" })
  const response = await signup(new Request("http://localhost:3000/signup", { method: "POST", body }))
  await Effect.runPromise(Console.log(response.status, await response.json()))
  await tasks.dispose()
}
