/**
 * Hono: the API below /tasks, a route that enqueues, events as they happen, an orderly end.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/13-hono.ts
 */
import type { Server } from "node:http"
import type { AddressInfo } from "node:net"
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { serve as listen } from "@hono/node-server"
import { Effect, Layer, Redacted, Schema, Stream } from "effect"
import { BackgroundTasks, MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHost, TaskHttp } from "effect-taskflow/http"
import { Hono } from "hono"

const Welcome = Task.make("welcome", { payload: { email: Schema.String } })

export const sent: Array<string> = []
const WelcomeHandler = Welcome.toLayer(({ email }) =>
  Effect.sleep("100 millis").pipe(Effect.zipRight(Effect.sync(() => void sent.push(email))))
)

const Main = WelcomeHandler.pipe(
  Layer.provideMerge(TaskflowLayer({ announce: false })),
  Layer.provide(MemoryBackend.layer())
)

const signup = Effect.gen(function*() {
  const { email } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ email: Schema.String }))
  // Committed now, started when the response was handed over.
  const { taskId } = yield* Effect.flatMap(BackgroundTasks, (background) => background.add(Welcome, { email }))
  return HttpServerResponse.unsafeJson({ taskId }, { status: 202 })
})

const events = Effect.map(TaskManager, (manager) =>
  HttpServerResponse.stream(
    Stream.make(": connected\n\n").pipe(
      Stream.concat(Stream.map(manager.events, ({ event }) => `data: ${event._tag} ${event.taskId}\n\n`)),
      Stream.encodeText
    ),
    { contentType: "text/event-stream", headers: { "cache-control": "no-cache, no-transform" } }
  ))

export const serve = async (port: number) => {
  // Hono's mount cuts "/tasks" off the path of a request: "/" is left.
  const tasks = TaskHost.make(Main, {
    prefix: "/tasks",
    at: "/",
    auth: TaskAuth.basic({ username: "ops", password: Redacted.make("secret") })
  })
  await tasks.start()

  const app = new Hono()
  const [post, get] = [tasks.route(signup), tasks.route(events)]
  app.mount("/tasks", tasks.web)
  app.post("/signup", (context) => post(context.req.raw))
  app.get("/events", (context) => get(context.req.raw))

  const server = TaskHttp.closePromptly(listen({ fetch: app.fetch, port, hostname: "127.0.0.1" }) as Server)
  await new Promise((resolve) => server.once("listening", resolve))
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    await tasks.dispose() // streams end, running tasks finish
    await closed
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

if (process.argv[1] === import.meta.filename) {
  const { close, url } = await serve(3000)
  process.stdout.write(`${url}/tasks (ops, secret)\n`)
  process.once("SIGTERM", close).once("SIGINT", close)
}
