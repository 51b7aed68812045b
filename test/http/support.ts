/**
 * What the tests of the HTTP side share: tasks of every fate, servers that serve them, and clients that hide nothing.
 */
import { createServer, request as nodeRequest } from "node:http"
import { HttpLayerRouter, HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Logger, Redacted, Schema } from "effect"
import { Task, type TaskBackend, TaskLog, type TaskManager, TaskProgress } from "effect-taskflow"
import { TaskHttp } from "effect-taskflow/http"
import { engine } from "../support/engine.js"

export class Declined extends Schema.TaggedError<Declined>()("Declined", { reason: Schema.String }) {}

export const Works = Task.make("works", {
  payload: { n: Schema.Number, token: Schema.optional(Schema.Redacted(Schema.String)) },
  success: Schema.Struct({ doubled: Schema.Number, key: Schema.Redacted(Schema.String) }),
  tags: ({ n }) => ({ parity: n % 2 === 0 ? "even" : "odd" })
})
export const Fails = Task.make("fails", { error: Declined, priority: 7 })
export const Flaky = Task.make("flaky", { error: Declined, retry: { retries: 1, delay: "1 millis" } })
export const Hangs = Task.make("hangs", { payload: { note: Schema.String } })
/** Nobody handles it. */
export const Orphan = Task.make("orphan", { payload: { note: Schema.String } })

const handlers = Layer.mergeAll(
  Works.toLayer(({ n }) =>
    Effect.gen(function*() {
      yield* Effect.log("working")
      yield* TaskLog.warning("nearly there", { n })
      yield* TaskProgress.set(0.5, "half")
      return { doubled: n * 2, key: Redacted.make("result-secret") }
    })
  ),
  Fails.toLayer(() => Effect.fail(new Declined({ reason: "no funds" }))),
  Flaky.toLayer(() => Effect.fail(new Declined({ reason: "flaky" }))),
  Hangs.toLayer(() => Effect.never)
)

/** The engine on memory with handlers for all tasks above but `Orphan`; their logs go to their records alone. */
export const tasks = (backend?: Layer.Layer<TaskBackend>): Layer.Layer<TaskManager> =>
  Layer.provideMerge(
    Layer.provide(handlers, Logger.remove(Logger.defaultLogger)),
    engine({ maxConcurrentTasks: 4 }, backend)
  )

/** A real server on a free port. */
export const httpServer = NodeHttpServer.layer(() => TaskHttp.closePromptly(createServer()), {
  port: 0,
  host: "127.0.0.1"
})

const addressOf = (context: Context.Context<HttpServer.HttpServer>): string => {
  const { address } = Context.get(context, HttpServer.HttpServer)
  return address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : address.path
}

/** Serves the routes until the scope closes; answers the address. */
export const serve = <E, R>(routes: Layer.Layer<never, E, R>) =>
  Effect.map(
    Layer.build(
      HttpLayerRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
        Layer.provideMerge(httpServer)
      )
    ),
    addressOf
  )

/** Serves a classic app the same way. */
export const serveApp = <E, R>(layer: Layer.Layer<never, E, R>) =>
  Effect.map(Layer.build(Layer.provideMerge(layer, httpServer)), addressOf)

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | Array<string> | undefined>>
  readonly text: string
  readonly body: any
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One request exactly as written: no normalised path, no added header but Host. */
export const send = (
  base: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string
): Effect.Effect<Answer> =>
  Effect.async((resume) => {
    const { hostname, port } = new URL(base)
    const request = nodeRequest({ hostname, port, method, path, headers, agent: false }, (response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("close", () => {
        if (!response.complete) resume(Effect.dieMessage(`${method} ${path}: the answer broke off`))
      })
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8")
        const { headers, statusCode = 0 } = response
        resume(Effect.succeed({ status: statusCode, headers, text, body: parsed(text) }))
      })
    })
    request.on("error", (error) => resume(Effect.die(error)))
    request.end(body)
  })

/** The Authorization header of HTTP Basic. */
export const basic = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`
})

/** A write as this API's own pages send it. */
export const post = (
  base: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
  method = "POST"
): Effect.Effect<Answer> =>
  send(
    base,
    method,
    path,
    { "x-taskflow": "1", ...body === undefined ? {} : { "content-type": "application/json" }, ...headers },
    body === undefined ? undefined : JSON.stringify(body)
  )
