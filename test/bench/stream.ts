/**
 * What one change costs the server with a hundred open streams: the hub, which encodes a frame once for all, beside the same
 * streams with a frame encoded for each client, in the same run. `npm run bench:stream`, about half a minute.
 *
 * Clients are in another process and only count bytes, so processor time is that of the server: reading the records,
 * encoding, and a write to each connection. What the same streams cost while nothing changes is taken off.
 *
 *     BENCH_CLIENTS=100 BENCH_FRAMES=12 npm run bench:stream
 */
import { fork } from "node:child_process"
import { createServer } from "node:http"
import { connect } from "node:net"
import { HttpLayerRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { Context, Effect, Layer, type Scope, type Stream } from "effect"
import * as Connection from "../../src/http/stream/connection.js"
import type { Row } from "../../src/http/stream/frame.js"
import * as Ring from "../../src/http/stream/ring.js"
import * as StreamHub from "../../src/http/stream/StreamHub.js"
import * as TaskView from "../../src/http/TaskView.js"
import type { TaskId } from "../../src/TaskId.js"
import type { TaskRecord } from "../../src/TaskRecord.js"
import { redaction, started, visitor, world } from "../http/streamSupport.js"
import * as Report from "./support/report.js"

const clients = Number(process.env["BENCH_CLIENTS"] ?? 100)
const frames = Number(process.env["BENCH_FRAMES"] ?? 12)
const warmUp = 4
const encodings = 200

// A little more than the pace of the hub, so that each change is a frame of its own.
const pace = 300

/** In the other process: opens streams, and tells how many bytes came whenever it is asked. */
const listen = (port: number, path: string): void => {
  let bytes = 0
  let open = 0
  for (let client = 0; client < clients; client += 1) {
    const socket = connect(port, "127.0.0.1", () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`))
    socket.once("data", () => {
      open += 1
      if (open === clients) process.send!({ open })
    })
    socket.on("data", (data) => bytes += data.length)
    socket.on("error", () => {})
  }
  process.on("message", () => process.send!({ bytes }))
}

const listeners = (port: number, path: string) =>
  Effect.acquireRelease(
    Effect.async<{ readonly bytes: Effect.Effect<number>; readonly kill: () => void }>((resume) => {
      const child = fork(process.argv[1]!, [], { env: { ...process.env, BENCH_LISTEN: `${port} ${path}` } })
      const bytes = Effect.async<number>((resume) => {
        child.once("message", (answer: { readonly bytes: number }) => resume(Effect.succeed(answer.bytes)))
        child.send("bytes")
      })
      child.once("message", () => resume(Effect.succeed({ bytes, kill: () => void child.kill() })))
    }),
    ({ kill }) => Effect.sync(kill)
  )

const rowOf = (record: TaskRecord) => TaskView.summary(record, redaction)

/** The same connections, and a frame that is made for each of them. */
const naive = (sources: StreamHub.StreamHubOptions) => {
  const open = new Set<Connection.Connection>()
  const topics = { shared: new Set(["runs"] as const), watched: [] }
  let seq = 0
  const tell = (ids: ReadonlyArray<TaskId>) =>
    Effect.map(Effect.orDie(sources.records(ids)), (records) => {
      seq += 1
      for (const connection of open) {
        connection.push(Ring.message(`e-${seq}`, { t: "runs", n: [], u: records.map(rowOf), d: [] }))
      }
    })
  const connected: Effect.Effect<Stream.Stream<Uint8Array>, never, Scope.Scope> = Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const connection = Connection.make({
          topics,
          first: new TextEncoder().encode(": ok\n\n"),
          begin: Effect.succeed([]),
          limit: 64,
          lost: () => new Uint8Array()
        })
        open.add(connection)
        return connection
      }),
      (connection) => Effect.sync(() => open.delete(connection))
    ),
    ({ bytes }) => bytes
  )
  return { connected, tell }
}

/** Processor time of one change and of what follows from it, in microseconds. */
const costOf = (change: Effect.Effect<unknown>): Effect.Effect<number> =>
  Effect.gen(function*() {
    const from = process.cpuUsage()
    yield* change
    yield* Effect.sleep(pace)
    const { system, user } = process.cpuUsage(from)
    return user + system
  })

/** Processor time for one frame that is encoded so often. */
const encoding = (rows: ReadonlyArray<Row>, times: number): number => {
  const encode = () => {
    for (let time = 0; time < times; time += 1) Ring.message("e-1", { t: "runs", n: [], u: rows, d: [] })
  }
  for (let frame = 0; frame < encodings; frame += 1) encode()
  const from = process.cpuUsage()
  for (let frame = 0; frame < encodings; frame += 1) encode()
  const { system, user } = process.cpuUsage(from)
  return (user + system) / encodings
}

const addressOf = (context: Context.Context<HttpServer.HttpServer>): number => {
  const { address } = Context.get(context, HttpServer.HttpServer)
  return address._tag === "TcpAddress" ? address.port : 0
}

const bench = Effect.gen(function*() {
  const report = Report.make("stream", "memory")
  const { create, page, put, records, sources } = yield* world
  const all = yield* Effect.replicateEffect(create, 40)
  const hub = yield* StreamHub.make(sources)
  const each = naive(sources)
  const server = HttpLayerRouter.serve(
    Layer.mergeAll(
      HttpLayerRouter.add("GET", "/hub", hub.stream(visitor)),
      HttpLayerRouter.add(
        "GET",
        "/each",
        Effect.zipRight(
          HttpServerRequest.HttpServerRequest,
          Effect.map(each.connected, (bytes) => HttpServerResponse.stream(bytes, { contentType: "text/event-stream" }))
        )
      )
    ),
    { disableLogger: true, disableListenLog: true }
  ).pipe(Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { port: 0, host: "127.0.0.1" })))
  const port = addressOf(yield* Layer.build(server))

  const next = (many: number) => all.slice(0, many).map(({ taskId }) => started(records.get(taskId)!))
  const changes = {
    hub: (many: number) => Effect.suspend(() => put(...next(many))),
    each: (many: number) =>
      Effect.suspend(() => {
        const changed = next(many)
        for (const record of changed) records.set(record.taskId, record)
        return each.tell(changed.map(({ taskId }) => taskId))
      })
  }
  yield* page([])

  // Both at a time, and one change after the other: what else the machine does hits both.
  const hubs = yield* listeners(port, "/hub?topics=runs")
  const eachs = yield* listeners(port, "/each")
  // The first thousand writes are slower: the code is not compiled yet.
  yield* Effect.repeatN(Effect.zipRight(changes.each(1), Effect.sleep(5)), 200)
  for (const many of [1, 40]) {
    const costs = { idle: Array<number>(), hub: Array<number>(), each: Array<number>() }
    const before = { hub: 0, each: 0 }
    for (let frame = -warmUp; frame < frames; frame += 1) {
      if (frame === 0) {
        Object.assign(costs, { idle: [], hub: [], each: [] })
        before.hub = yield* hubs.bytes
        before.each = yield* eachs.bytes
      }
      costs.idle.push(yield* costOf(Effect.void))
      costs.hub.push(yield* costOf(changes.hub(many)))
      costs.each.push(yield* costOf(changes.each(many)))
    }
    const idle = Report.median(costs.idle)
    const medians: Record<string, number> = {}
    for (const way of ["hub", "each"] as const) {
      const bytes = (yield* (way === "hub" ? hubs : eachs).bytes) - before[way]
      const settings = { clients, changes: many, way, idleMicros: Math.round(idle) }
      const micros = costs[way].map((cost) => Math.max(0, cost - idle))
      medians[way] = Report.median(micros)
      report.add(`a frame of ${many}, ${way}, cpu`, "µs", frames, micros, settings)
      report.add(`a frame of ${many}, ${way}, sent to a client`, "bytes", frames, [bytes / frames / clients], settings)
    }
    report.add(`a frame of ${many}, each of hub, cpu`, "ratio", frames, [medians["each"]! / medians["hub"]!])
    const rows = next(many).map(rowOf)
    const alone = { hub: encoding(rows, 1), each: encoding(rows, clients) }
    report.add(`a frame of ${many}, hub, encoding alone, cpu`, "µs", encodings, [alone.hub], { clients })
    report.add(`a frame of ${many}, each, encoding alone, cpu`, "µs", encodings, [alone.each], { clients })
  }
  report.table()
})

const asked = process.env["BENCH_LISTEN"]?.split(" ")
if (asked === undefined) await Effect.runPromise(Effect.scoped(bench))
else listen(Number(asked[0]), asked[1]!)
