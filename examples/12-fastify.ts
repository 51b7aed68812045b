/**
 * Fastify: the API below /tasks, a route that enqueues, events as they happen, an orderly end.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/12-fastify.ts
 */
import { HttpServerResponse } from "@effect/platform"
import { Effect, Layer, Redacted, Schema, Stream } from "effect"
import { BackgroundTasks, MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHost } from "effect-taskflow/http"
import Fastify from "fastify"

const Welcome = Task.make("welcome", { payload: { email: Schema.String } })

export const sent: Array<string> = []
const WelcomeHandler = Welcome.toLayer(({ email }) =>
  Effect.sleep("100 millis").pipe(Effect.zipRight(Effect.sync(() => void sent.push(email))))
)

const Main = WelcomeHandler.pipe(
  Layer.provideMerge(TaskflowLayer({ announce: false })),
  Layer.provide(MemoryBackend.layer())
)

const addWelcome = (email: string) =>
  Effect.flatMap(BackgroundTasks, (background) => background.add(Welcome, { email }))

const events = Effect.map(TaskManager, (manager) =>
  HttpServerResponse.stream(
    Stream.make(": connected\n\n").pipe(
      Stream.concat(Stream.map(manager.events, ({ event }) => `data: ${event._tag} ${event.taskId}\n\n`)),
      Stream.encodeText
    ),
    { contentType: "text/event-stream", headers: { "cache-control": "no-cache, no-transform" } }
  ))

export const serve = async (port: number) => {
  const auth = TaskAuth.basic({ username: "ops", password: Redacted.make("secret") })
  const tasks = TaskHost.make(Main, { prefix: "/tasks", auth })
  await tasks.start()

  const app = Fastify()
  // In a plugin of its own, which leaves bodies alone: they are read behind the guard.
  await app.register(async (api) => {
    api.removeAllContentTypeParsers()
    api.addContentTypeParser("*", (_request, _body, done) => done(null))
    for (const path of ["/tasks", "/tasks/*"]) {
      api.all(path, (request, reply) => {
        reply.hijack()
        tasks.node(request.raw, reply.raw)
      })
    }
  })
  const stream = tasks.nodeRoute(events)
  app.get("/events", (request, reply) => {
    reply.hijack()
    stream(request.raw, reply.raw)
  })
  app.post<{ readonly Body: { readonly email: string } }>("/signup", async (request, reply) => {
    // Committed now, started when the response was written.
    const { taskId } = await tasks.during(reply.raw, addWelcome(request.body.email))
    return reply.code(202).send({ taskId })
  })

  // Streams end, running tasks finish; then nothing keeps the server open.
  app.addHook("preClose", () => tasks.dispose())
  return { url: await app.listen({ port, host: "127.0.0.1" }), close: () => app.close() }
}

if (process.argv[1] === import.meta.filename) {
  const { close, url } = await serve(3000)
  process.stdout.write(`${url}/tasks (ops, secret)\n`)
  process.once("SIGTERM", close).once("SIGINT", close)
}
