/**
 * Who comes by HTTP while `leak.ts` measures: requests of every kind, right and wrong ones, and readers of the live stream
 * that go away in the middle of it.
 */
import { Agent, createServer, type IncomingMessage, request } from "node:http"
import { connect } from "node:net"
import { HttpLayerRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import { BackgroundTasks, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { Plain } from "./leakTasks.js"

/** What came back, by status, and what the streams sent. */
export const seen = { statuses: new Map<number, number>(), streams: 0, bytes: 0, errors: 0 }

const token = "leak-token-of-a-program"
const authorization = `Bearer ${token}`

const Signup = HttpLayerRouter.add(
  "POST",
  "/signup",
  Effect.gen(function*() {
    const background = yield* BackgroundTasks
    const { taskId } = yield* background.add(Plain, { n: 0 })
    return HttpServerResponse.unsafeJson({ taskId })
  }).pipe(Effect.catchAll(() => Effect.succeed(HttpServerResponse.empty({ status: 503 }))))
).pipe(Layer.provide(BackgroundTasks.middleware.layer))

const api = Layer.merge(
  TaskHttp.layer({
    displayArguments: true,
    auth: TaskAuth.bearer({ tokens: [{ name: "leak", token: Redacted.make(token), access: "operator" }] })
  }),
  Signup
)

const serving = Effect.map(
  Layer.build(
    HttpLayerRouter.serve(api, { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" }))
    )
  ),
  (context) => {
    const { address } = Context.get(context, HttpServer.HttpServer)
    return address._tag === "TcpAddress" ? address.port : 0
  }
)

// A client that keeps connections would keep memory of its own.
const agent = new Agent({ keepAlive: false })

const ask = (port: number, method: string, path: string, headers: Readonly<Record<string, string>>, body?: string) =>
  Effect.async<void>((resume) => {
    const sent = request(
      {
        host: "127.0.0.1",
        port,
        method,
        path,
        agent,
        headers: body === undefined ? headers : { ...headers, "content-type": "application/json" }
      },
      (answer: IncomingMessage) => {
        const status = answer.statusCode ?? 0
        seen.statuses.set(status, (seen.statuses.get(status) ?? 0) + 1)
        answer.resume()
        answer.once("close", () => resume(Effect.void))
      }
    )
    sent.once("error", () => {
      seen.errors += 1
      resume(Effect.void)
    })
    sent.end(body)
  })

const mine = { authorization }

const asking = (port: number, ids: ReadonlyArray<string>, n: number): Effect.Effect<void> => {
  const id = ids[n % Math.max(1, ids.length)] ?? "00000000-0000-7000-8000-000000000000"
  const asked: ReadonlyArray<readonly [method: string, path: string, body?: string]> = [
    ["GET", "/tasks?limit=50"],
    ["GET", `/tasks?q=${encodeURIComponent(`status:success dur:>${n % 90}ms text${n}`)}`],
    ["GET", `/tasks?tag=user:u${n}`],
    ["GET", `/tasks?status=failed&limit=${1 + n % 200}`],
    ["GET", `/tasks/${id}`],
    ["GET", `/tasks/${id}/logs`],
    ["GET", `/tasks/${id}/attempts`],
    ["GET", "/tasks/overview"],
    ["GET", "/tasks/metrics"],
    ["GET", "/tasks/metrics/prometheus"],
    ["GET", "/tasks/errors"],
    ["GET", "/tasks/schedules"],
    ["GET", "/tasks/instances"],
    ["GET", `/tasks/suggest?q=${encodeURIComponent(`task:leak.${n}`)}`],
    ["GET", "/tasks/changes?topics=runs,counts"],
    ["POST", `/tasks/${id}/cancel`],
    ["POST", `/tasks/${id}/retry`],
    ["POST", `/tasks/leak-${n}/cancel`],
    ["GET", `/nowhere/${n}`],
    ["POST", "/signup", "{}"],
    ["GET", `/tasks?cursor=no${n}`]
  ]
  const [method, path, body] = asked[n % asked.length]!
  const headers = n % 37 === 0 ? { authorization: `Bearer wrong-${n}` } : { ...mine, "user-agent": `leak/${n}` }
  return ask(port, method, path, headers, body)
}

/** Opens a stream, reads for a while and is gone, without a word. */
const streaming = (port: number, path: string, millis: number) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const socket = connect(port, "127.0.0.1", () =>
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`))
      socket.on("data", (data) =>
        seen.bytes += data.length)
      socket.on("error", () =>
        seen.errors += 1)
      seen.streams += 1
      return socket
    }),
    () => Effect.sleep(millis),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** Serves, and visits, until it is interrupted. */
export const visitors: Effect.Effect<never, never, TaskManager> = Effect.gen(function*() {
  const manager = yield* TaskManager
  const port = yield* Effect.orDie(serving)
  let ids: ReadonlyArray<string> = []
  let n = 0
  const known = Effect.map(manager.list({ limit: 50 }), ({ items }) => {
    ids = items.map(({ taskId }) => taskId)
  })
  const requests = Effect.suspend(() => asking(port, ids, n += 1))
  const streams = Effect.suspend(() => {
    const watched = ids[n % Math.max(1, ids.length)]
    const topics = `runs,counts,buckets,fleet${watched === undefined ? "" : `,log:${watched},run:${watched}`}`
    return streaming(port, `/tasks/stream?topics=${topics}`, 1_000 + n % 4_000)
  })
  return yield* Effect.all([
    Effect.repeat(Effect.ignoreLogged(known), Schedule.spaced("2 seconds")),
    Effect.repeat(requests, Schedule.spaced("150 millis")),
    Effect.repeat(streams, Schedule.spaced("500 millis")),
    Effect.repeat(streams, Schedule.spaced("100 millis"))
  ], { concurrency: "unbounded" }).pipe(Effect.zipRight(Effect.never))
}).pipe(Effect.scoped)
