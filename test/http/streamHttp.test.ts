import * as fs from "node:fs"
import { type ClientRequest, createServer, type IncomingHttpHeaders, request as nodeRequest } from "node:http"
import * as os from "node:os"
import * as path from "node:path"
import { HttpLayerRouter, HttpServer } from "@effect/platform"
import { NodeHttpServer } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Scope } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import * as SqliteBackend from "../../src/backend/SqliteBackend.js"
import type { Frame } from "../../src/http/stream/frame.js"
import * as ManagerSources from "../../src/http/stream/managerSources.js"
import * as Messages from "../../src/http/stream/messages.js"
import * as StreamHub from "../../src/http/stream/StreamHub.js"
import { connect, redaction, rowOf, type Shown, visitor, world } from "./streamSupport.js"
import { type Answer, Hangs, send, serve, tasks, Works } from "./support.js"

/** For what comes at once, or on a machine that is very busy. */
const patience = "30 seconds"

const hubOf = (options: Partial<StreamHub.StreamHubOptions> = {}) =>
  Effect.flatMap(TaskManager, (manager) =>
    StreamHub.make({
      ...ManagerSources.make(manager, redaction),
      bucket: Effect.succeed(null),
      batches: Effect.succeed([]),
      onBatch: () => {},
      build: "test",
      capabilities: () => ({}),
      ...options
    }))

const temporaryFile = Effect.acquireRelease(
  Effect.sync(() => path.join(fs.mkdtempSync(path.join(os.tmpdir(), "taskflow-")), "tasks.db")),
  (file) => Effect.sync(() => fs.rmSync(path.dirname(file), { recursive: true, force: true }))
)

/** The two routes of a hub at "/stream" and "/changes". */
const routesOf = (hub: StreamHub.StreamHub) =>
  Layer.merge(
    HttpLayerRouter.add("GET", "/stream", hub.stream(visitor)),
    HttpLayerRouter.add("GET", "/changes", hub.changes(visitor))
  )

/** What one GET hears, as it comes. */
const listen = (base: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.acquireRelease(
    Effect.async<Listener>((resume) => {
      const { hostname, port } = new URL(base)
      const request = nodeRequest({ hostname, port, path, headers, agent: false }, (response) => {
        const read = Messages.reader()
        const frames: Array<Frame<Shown>> = []
        const ids: Array<string | null> = []
        const waiting = new Set<() => void>()
        const state = { text: "", ended: false }
        const woken = () => waiting.forEach((wake) => wake())
        response.setEncoding("utf8")
        response.on("data", (text: string) => {
          state.text += text
          for (const { data, id } of read(text)) {
            frames.push(JSON.parse(data))
            ids.push(id)
          }
          woken()
        })
        response.on("close", () => {
          state.ended = true
          woken()
        })
        const until = (condition: () => boolean) =>
          Effect.async<void>((resume) => {
            const look = () => {
              if (!condition()) return
              waiting.delete(look)
              resume(Effect.void)
            }
            waiting.add(look)
            look()
          }).pipe(Effect.timeout(patience), Effect.orDie)
        resume(Effect.succeed({
          request,
          headers: response.headers,
          status: response.statusCode ?? 0,
          text: () => state.text,
          frames,
          ids,
          until,
          untilEnd: until(() => state.ended)
        }))
      })
      request.on("error", () => {})
      request.end()
    }),
    ({ request }) => Effect.sync(() => request.destroy())
  )

interface Listener {
  readonly request: ClientRequest
  readonly headers: IncomingHttpHeaders
  readonly status: number
  readonly text: () => string
  readonly frames: ReadonlyArray<Frame<Shown>>
  readonly ids: ReadonlyArray<string | null>
  readonly until: (condition: () => boolean) => Effect.Effect<void>
  readonly untilEnd: Effect.Effect<void>
}

const rows = (frames: ReadonlyArray<Frame<Shown>>) =>
  frames.flatMap((frame) => frame.t === "runs" ? [...frame.n, ...frame.u] : [])

const untilConnections = (hub: StreamHub.StreamHub, count: number) =>
  Effect.repeat(Effect.zipRight(Effect.sleep("10 millis"), hub.metrics), {
    until: ({ connections }) => connections === count
  }).pipe(Effect.timeout(patience), Effect.orDie)

describe("GET /stream", () => {
  it.scopedLive("streams the changes of real tasks, and the lines of the one that is looked at", () =>
    Effect.gen(function*() {
      const hub = yield* hubOf()
      const base = yield* serve(routesOf(hub))
      const { taskId } = yield* Works.enqueue({ n: 1 }, { delay: "300 millis" })
      const heard = yield* listen(base, `/stream?topics=runs,counts,log:${taskId},run:${taskId}`)
      expect(heard.status).toBe(200)
      expect(heard.headers).toMatchObject({
        "content-type": "text/event-stream",
        "cache-control": "no-store, no-transform",
        "x-accel-buffering": "no",
        connection: "close"
      })
      yield* heard.until(() => rows(heard.frames).some(({ status }) => status === "success"))
      const manager = yield* TaskManager
      const row = rowOf(yield* manager.get(taskId))
      expect(rows(heard.frames).at(-1)).toEqual(row)
      const lines = () => heard.frames.flatMap((frame) => frame.t === "log" ? frame.l : [])
      yield* heard.until(() => lines().length === 2)
      expect(lines()).toMatchObject([{ message: "working" }, { message: "nearly there", annotations: { n: 1 } }])
      yield* heard.until(() => heard.frames.some((frame) => frame.t === "run" && frame.patch?.status === "success"))
      yield* heard.until(() => heard.frames.some((frame) => frame.t === "counts" && frame.c["success"] === 1))
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("goes on behind Last-Event-ID, or ?since=, and the header counts", () =>
    Effect.gen(function*() {
      const hub = yield* hubOf()
      const base = yield* serve(routesOf(hub))
      const first = yield* listen(base, "/stream?topics=runs")
      yield* first.until(() => first.frames.length > 0)
      const id = first.ids[0]!
      first.request.destroy()
      const { taskId } = yield* Hangs.enqueue({ note: "x" })
      const watcher = yield* listen(base, "/stream?topics=runs", { "last-event-id": id })
      yield* watcher.until(() => rows(watcher.frames).some(({ status }) => status === "running"))
      const since = yield* listen(base, `/stream?topics=runs&since=${id}`)
      yield* since.until(() => rows(since.frames).some((row) => row.taskId === taskId))
      const both = yield* listen(base, `/stream?topics=runs&since=nonsense`, { "last-event-id": id })
      yield* both.until(() => rows(both.frames).length > 0)
      const neither = yield* listen(base, "/stream?topics=runs&since=nonsense")
      yield* neither.until(() => neither.frames.some(({ t }) => t === "reset"))
      for (const { frames } of [watcher, since, both]) expect(frames.some(({ t }) => t === "reset")).toBe(false)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("refuses topics that do not exist with 400, and one stream too many with 503", () =>
    Effect.gen(function*() {
      const hub = yield* hubOf({ maxStreams: 1 })
      const base = yield* serve(routesOf(hub))
      const nine = Array.from({ length: 9 }, (_, index) => `log:01890000-0000-7000-8000-00000000000${index}`)
      for (const topics of ["everything", "log:", "log:x", "run:../etc", "runs,,logs", nine.join()]) {
        for (const path of ["stream", "changes"]) {
          const { body, status } = yield* send(base, "GET", `/${path}?topics=${topics}`)
          expect(status, topics).toBe(400)
          expect(body).toEqual({ _tag: "BadTopic", message: expect.any(String) })
        }
      }
      expect((yield* hub.metrics).connections).toBe(0)
      const first = yield* listen(base, "/stream")
      yield* first.until(() => first.frames.length > 0)
      const refused: Answer = yield* send(base, "GET", "/stream")
      expect(refused.status).toBe(503)
      expect(refused.headers["retry-after"]).toBe("5")
      expect(refused.body).toEqual({ _tag: "StreamUnavailable", message: expect.any(String), retryAfter: 5 })
      const polled = yield* send(base, "GET", "/changes")
      expect(polled.status, "who is refused polls").toBe(200)
      first.request.destroy()
      yield* untilConnections(hub, 0)
      const second = yield* listen(base, "/stream")
      expect(second.status).toBe(200)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("forgets a client that left, at whatever moment", () =>
    Effect.gen(function*() {
      const hub = yield* hubOf()
      const base = yield* serve(routesOf(hub))
      const { hostname, port } = new URL(base)
      for (let round = 0; round < 20; round += 1) {
        const request = nodeRequest({ hostname, port, path: "/stream", agent: false })
        request.on("error", () => {})
        request.end()
        yield* Effect.sleep(round)
        request.destroy()
      }
      const clients = yield* Effect.replicateEffect(listen(base, "/stream"), 3)
      yield* untilConnections(hub, 3)
      for (const { request } of clients) request.destroy()
      yield* untilConnections(hub, 0)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("ends at once when the server closes, and says why", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const routes = Layer.unwrapScoped(Effect.map(hubOf(), routesOf))
      // Nothing here helps the server to close: it would wait for connections that are kept alive.
      const server = NodeHttpServer.layer(() => createServer({ keepAliveTimeout: 600_000 }), {
        port: 0,
        host: "127.0.0.1"
      })
      const base = yield* Effect.map(
        Scope.extend(
          Layer.build(
            HttpLayerRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
              Layer.provideMerge(server)
            )
          ),
          scope
        ),
        (context) => {
          const { address } = Context.get(context, HttpServer.HttpServer)
          return address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : address.path
        }
      )
      const clients = yield* Effect.replicateEffect(listen(base, "/stream", { connection: "keep-alive" }), 5)
      for (const client of clients) yield* client.until(() => client.frames.length > 0)
      yield* Scope.close(scope, Exit.void)
      for (const client of clients) {
        yield* client.untilEnd
        expect(client.frames.at(-1)).toEqual({ t: "bye", why: "shutdown" })
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("holds little for a client that does not read, and resets it", () =>
    Effect.gen(function*() {
      const { page, sources } = yield* world
      const hub = yield* StreamHub.make(sources)
      const { dispose, handler } = HttpLayerRouter.toWebHandler(routesOf(hub), { disableLogger: true })
      yield* Effect.addFinalizer(() => Effect.promise(() => dispose()))
      const response = yield* Effect.promise(() => handler(new Request("http://host/stream?topics=runs")))
      const reader = response.body!.getReader()
      const next = Effect.promise(() => reader.read()).pipe(
        Effect.map(({ value }) => new TextDecoder().decode(value)),
        Effect.timeout(patience)
      )
      let text = ""
      while (!text.includes("hello")) text += yield* next
      for (let step = 0; step < 1_000; step += 1) yield* page([], true)
      while ((yield* hub.metrics).lost === 0) yield* Effect.sleep("10 millis")
      yield* page([], true)
      const { frames } = yield* hub.metrics
      expect(frames).toBeGreaterThan(1_000)
      const last = yield* connect(hub, { topics: "runs" })
      while (last.told().length === 0) yield* Effect.sleep("10 millis")
      text = ""
      while (!text.includes(`${last.told()[0]!.id}\n`)) text += yield* next
      expect(text.split("reset").length).toBeLessThan(140)
      yield* Effect.promise(() => reader.cancel())
      yield* last.leave
      yield* untilConnections(hub, 0)
    }))
})

describe("GET /changes", () => {
  it.scopedLive("answers what the stream would have said, as JSON", () =>
    Effect.gen(function*() {
      const hub = yield* hubOf()
      const base = yield* serve(routesOf(hub))
      const first = yield* send(base, "GET", "/changes?topics=runs")
      expect(first.headers["content-type"]).toBe("application/json")
      expect(first.headers["cache-control"]).toBe("no-store, no-transform")
      expect(first.body).toEqual({ frames: [expect.objectContaining({ t: "hello" })], next: expect.any(String) })
      const { taskId } = yield* Hangs.enqueue({ note: "x" })
      let { next } = first.body
      const heard: Array<Frame<Shown>> = []
      while (!rows(heard).some((row) => row.taskId === taskId && row.status === "running")) {
        const { body } = yield* send(base, "GET", `/changes?topics=runs&since=${next}`)
        heard.push(...body.frames)
        next = body.next
        yield* Effect.sleep("20 millis")
      }
      const old = yield* send(base, "GET", "/changes?topics=runs&since=00000000-1")
      expect(old.body.frames).toEqual([{ t: "reset" }])
      expect((yield* hub.metrics).connections).toBe(0)
    }).pipe(Effect.provide(tasks())))
})

describe("two instances on one SQLite file", () => {
  it.scopedLive("what one changes is seen on the stream of the other", () =>
    Effect.gen(function*() {
      const filename = yield* temporaryFile
      const here = yield* Layer.build(tasks(Layer.orDie(SqliteBackend.layer({ filename }))))
      const there = yield* Layer.build(tasks(Layer.orDie(SqliteBackend.layer({ filename }))))
      const hub = yield* Effect.provide(hubOf(), here)
      const base = yield* serve(routesOf(hub))
      const heard = yield* listen(base, "/stream?topics=runs,counts")
      yield* heard.until(() => heard.frames.length > 0)
      const { taskId } = yield* Effect.provide(Works.enqueue({ n: 4 }), there)
      yield* Effect.provide(TaskflowTest.awaitStatus(taskId, "success"), there)
      yield* heard.until(() => rows(heard.frames).some((row) => row.taskId === taskId && row.status === "success"))
      yield* heard.until(() => heard.frames.some((frame) => frame.t === "counts" && frame.c["success"] === 1))
    }))
})
