/**
 * Express: the API below /tasks, a route that enqueues, events as they happen, an orderly end.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/11-express.ts
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { HttpServerResponse } from "@effect/platform"
import { Effect, Layer, Redacted, Schema, Stream } from "effect"
import { BackgroundTasks, MemoryBackend, Task, TaskflowLayer, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHost, TaskHttp } from "effect-taskflow/http"
import express from "express"

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
  // Express cuts "/tasks" off the path of a request: "/" is left.
  const tasks = TaskHost.make(Main, {
    prefix: "/tasks",
    at: "/",
    auth: TaskAuth.basic({ username: "ops", password: Redacted.make("secret") })
  })
  await tasks.start()

  const app = express()
  app.use("/tasks", tasks.node)
  app.get("/events", tasks.nodeRoute(events))
  app.post("/signup", express.json(), async (request, response) => {
    // Committed now, started when the response was written.
    const { taskId } = await tasks.during(response, addWelcome(String(request.body.email)))
    response.status(202).json({ taskId })
  })

  const server = TaskHttp.closePromptly(createServer(app))
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve))
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
