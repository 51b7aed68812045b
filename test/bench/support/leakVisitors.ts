/**
 * Who comes by HTTP while `leak.ts` measures: requests of every kind, right and wrong ones, and readers of the live stream
 * that go away in the middle of it.
 */
import { Agent, createServer, type IncomingMessage, request } from "node:http"
import { connect } from "node:net"
import { HttpLayerRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, Redacted } from "effect"
import { BackgroundTasks, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { every } from "./leakLoad.js"
import { Plain } from "./leakTasks.js"

const seen = { statuses: new Map<number, number>(), streams: 0, frames: 0, bytes: 0, errors: 0 }
// By what was asked, in words without ids: how often it was answered as it should be.
const well = new Map<string, number>()

/** What came back, by status; what the streams sent; and how often each kind of request was answered as it should be. */
export const told = () => ({
  ...seen,
  statuses: Object.fromEntries(seen.statuses),
  well: Object.fromEntries(well)
})

/** Whose part was not done at all. */
export const missing = (): ReadonlyArray<string> => [
  ...kinds.filter((kind) => (well.get(kind) ?? 0) === 0),
  ...seen.frames === 0 ? ["the live stream"] : []
]

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

interface Asked {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly body?: string
  /** Statuses that it may have. Default 200. */
  readonly expected?: ReadonlyArray<number>
}

const get = (path: string, ...expected: ReadonlyArray<number>): Asked => ({
  method: "GET",
  path: `/tasks${path}`,
  ...expected.length === 0 ? {} : { expected }
})
const post = (path: string, body: unknown, ...expected: ReadonlyArray<number>): Asked => ({
  method: "POST",
  path: `/tasks${path}`,
  body: JSON.stringify(body),
  expected
})

// Tasks that were there a moment ago; by the time that somebody asks they may have ended, or be gone.
interface Known {
  readonly id: string
  readonly unfinished: string
  readonly failed: string
  readonly n: number
}

const requests: Readonly<Record<string, (known: Known) => Asked>> = {
  list: () => get("?limit=50"),
  filter: ({ n }) => get(`?q=${encodeURIComponent(`status:success dur:>${n % 90}ms text${n}`)}`),
  tag: ({ n }) => get(`?tag=user:u${n}`),
  failed: ({ n }) => get(`?status=failed&limit=${1 + n % 200}`),
  task: ({ id }) => get(`/${id}`, 200, 404),
  logs: ({ id }) => get(`/${id}/logs`, 200, 404),
  attempts: ({ id }) => get(`/${id}/attempts`, 200, 404),
  overview: () => get("/overview"),
  metrics: () => get("/metrics"),
  stats: () => get("/stats"),
  durations: () => get("/durations?window=1h"),
  facets: ({ n }) => get(`/facets?q=${encodeURIComponent(`text${n}`)}`),
  suggest: ({ n }) => get(`/suggest?text=${encodeURIComponent(`task:leak.${n}`)}`),
  prometheus: () => get("/metrics/prometheus"),
  definitions: () => get("/definitions"),
  definition: () => get("/definitions/leak.plain"),
  errors: () => get("/errors"),
  schedules: () => get("/schedules"),
  instances: () => get("/instances"),
  audit: () => get("/audit"),
  changes: () => get("/changes?topics=runs,counts"),
  export: ({ n }) => get(`/export.ndjson?tag=user:u${n}`),
  enqueue: ({ n }) => post("/definitions/leak.plain/enqueue", { payload: { n } }, 201),
  cancel: ({ unfinished }) => post(`/${unfinished}/cancel`, {}, 200, 202),
  retry: ({ failed }) => post(`/${failed}/retry`, {}, 200),
  unknown: ({ n }) => post(`/leak-${n}/cancel`, {}, 400, 404),
  nowhere: ({ n }) => ({ method: "GET", path: `/nowhere/${n}`, expected: [404] }),
  signup: () => ({ method: "POST", path: "/signup", body: "{}" }),
  cursor: ({ n }) => get(`?cursor=no${n}`, 400)
}
const kinds = Object.keys(requests)

const ask = (port: number, kind: string, known: Known, headers: Readonly<Record<string, string>>) =>
  Effect.async<void>((resume) => {
    const { body, expected = [200], method, path } = requests[kind]!(known)
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
        if (expected.includes(status)) well.set(kind, (well.get(kind) ?? 0) + 1)
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

const asking = (port: number, ids: Ids, n: number): Effect.Effect<void> => {
  const oneOf = (some: ReadonlyArray<string>) =>
    some[n % Math.max(1, some.length)] ?? "00000000-0000-7000-8000-000000000000"
  const known = { id: oneOf(ids.all), unfinished: oneOf(ids.unfinished), failed: oneOf(ids.failed), n }
  const headers = n % 37 === 0 ? { authorization: `Bearer wrong-${n}` } : { ...mine, "user-agent": `leak/${n}` }
  return ask(port, kinds[n % kinds.length]!, known, headers)
}

interface Ids {
  readonly all: ReadonlyArray<string>
  readonly unfinished: ReadonlyArray<string>
  readonly failed: ReadonlyArray<string>
}

/** Opens a stream, reads for a while and is gone, without a word. */
const streaming = (port: number, path: string, millis: number) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const socket = connect(port, "127.0.0.1", () =>
        socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`))
      socket.on("data", (data) => {
        seen.bytes += data.length
        if (data.includes("\ndata:")) {
          seen.frames += 1
        }
      })
      socket.on("error", () =>
        seen.errors += 1)
      seen.streams += 1
      return socket
    }),
    () =>
      Effect.sleep(millis),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** Serves, and visits, until it is interrupted. */
export const visitors: Effect.Effect<never, never, TaskManager> = Effect.gen(function*() {
  const manager = yield* TaskManager
  const port = yield* Effect.orDie(serving)
  let ids: Ids = { all: [], unfinished: [], failed: [] }
  let n = 0
  const idsOf = (query: Parameters<typeof manager.list>[0]) =>
    Effect.map(manager.list({ ...query, limit: 50 }), ({ items }) => items.map(({ taskId }) => taskId))
  const known = Effect.all({
    all: idsOf({}),
    unfinished: idsOf({ status: ["pending"] }),
    failed: idsOf({ status: ["failed"] })
  }).pipe(Effect.map((found) => {
    ids = found
  }))
  const asks = Effect.suspend(() => asking(port, ids, n += 1))
  const streams = Effect.suspend(() => {
    const watched = ids.all[n % Math.max(1, ids.all.length)]
    const topics = `runs,counts,buckets,fleet${watched === undefined ? "" : `,log:${watched},run:${watched}`}`
    return streaming(port, `/tasks/stream?topics=${topics}`, 1_000 + n % 4_000)
  })
  return yield* Effect.all([
    every(2_000, known),
    every(150, asks),
    every(500, streams),
    every(100, streams)
  ], { concurrency: "unbounded" }).pipe(Effect.zipRight(Effect.never))
}).pipe(Effect.scoped)
