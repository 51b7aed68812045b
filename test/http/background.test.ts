/** BackgroundTasks in real servers and web handlers: what counts as the end of a response. */
import { get as nodeGet } from "node:http"
import { HttpLayerRouter, HttpRouter, HttpServer, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Context, Deferred, Effect, FiberId, Layer, Logger, ManagedRuntime, Schema, Stream } from "effect"
import { BackgroundTasks, Task, type TaskId, TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { engine } from "../support/engine.js"
import { send, serve, serveApp } from "./support.js"

const Mail = Task.make("mail", { payload: { to: Schema.String } })
const handlers = Mail.toLayer(() => Effect.void).pipe(Layer.provide(Logger.remove(Logger.defaultLogger)))
const app = Layer.provideMerge(handlers, engine())

const added: Array<string> = []
const add = (to: string) =>
  Effect.flatMap(BackgroundTasks, (background) => background.add(Mail, { to })).pipe(
    Effect.map(({ taskId }) => {
      added.push(taskId)
      return taskId
    })
  )

/** A body that ends when it is told to. */
const body = { end: Deferred.unsafeMake<void>(FiberId.none) }
const streaming = Effect.as(
  add("stream"),
  HttpServerResponse.stream(
    Stream.concat(
      Stream.make("first"),
      Stream.fromEffect(Effect.as(Effect.suspend(() => Deferred.await(body.end)), "last"))
    ).pipe(
      Stream.encodeText
    )
  )
)
const text = Effect.map(add("text"), (taskId) => HttpServerResponse.unsafeJson({ taskId }, { status: 202 }))
const stuck = Effect.zipRight(add("stuck"), Effect.never)

const fresh = Effect.sync(() => {
  added.splice(0)
  body.end = Deferred.unsafeMake(FiberId.none)
})

const routes = Layer.mergeAll(
  HttpLayerRouter.add("GET", "/text", text),
  HttpLayerRouter.add("GET", "/stream", streaming),
  HttpLayerRouter.add("GET", "/stuck", stuck),
  HttpLayerRouter.add("GET", "/fails", Effect.zipRight(add("fails"), Effect.die("no")))
).pipe(Layer.provide(BackgroundTasks.middleware.layer))

const classic = HttpRouter.empty.pipe(
  HttpRouter.get("/text", text),
  HttpRouter.get("/stream", streaming),
  HttpRouter.get("/stuck", stuck),
  HttpRouter.get("/fails", Effect.zipRight(add("fails"), Effect.die("no"))),
  HttpRouter.use(BackgroundTasks.provide)
)

const statusOf = (taskId: string) =>
  Effect.map(Effect.flatMap(TaskManager, ({ get }) => get(taskId)), ({ status }) => status)

/** What may start has started. */
const othersRun = Effect.flatMap(
  Mail.enqueue({ to: "other" }, { priority: -1 }),
  ({ taskId }) => TaskflowTest.awaitStatus(taskId, "success")
)

const servers = {
  "HttpLayerRouter": serve(routes),
  "the classic HttpRouter": serveApp(
    HttpServer.serve(Effect.catchAllCause(classic, () => HttpServerResponse.empty({ status: 500 })))
  )
}

for (const [name, server] of Object.entries(servers)) {
  describe(`BackgroundTasks in ${name} on Node`, () => {
    const test = (what: string, run: (base: string) => Effect.Effect<void, unknown, TaskManager>) =>
      it.scopedLive(what, () =>
        Effect.gen(function*() {
          yield* fresh
          yield* run(yield* server)
        }).pipe(
          Effect.provide(Layer.mergeAll(app, Logger.remove(Logger.defaultLogger)))
        ))

    test("start when the response was written, and are cancelled with a route that fails", (base) =>
      Effect.gen(function*() {
        const { body, status } = yield* send(base, "GET", "/text")
        expect(status).toBe(202)
        yield* TaskflowTest.awaitStatus(body.taskId, "success")
        expect((yield* send(base, "GET", "/fails")).status).toBe(500)
        yield* TaskflowTest.awaitStatus(added[1]!, "cancelled")
      }))

    const chunks = (base: string, path: string) =>
      Effect.async<{ readonly leave: () => void; readonly ended: Promise<string> }>((resume) => {
        const request = nodeGet(`${base}${path}`, { agent: false }, (response) => {
          let all = ""
          const ended = new Promise<string>((resolve) => response.on("close", () => resolve(all)))
          response.on("error", () => {})
          response.once("data", () => resume(Effect.succeed({ ended, leave: () => void request.destroy() })))
          response.on("data", (chunk: Buffer) => {
            all += chunk.toString()
          })
        })
        request.on("error", () => {})
      })

    test("wait for the end of a body that streams", (base) =>
      Effect.gen(function*() {
        const { ended } = yield* chunks(base, "/stream")
        yield* othersRun
        expect(yield* statusOf(added[0]!)).toBe("pending")
        yield* Deferred.succeed(body.end, undefined)
        expect(yield* Effect.promise(() => ended)).toBe("firstlast")
        yield* TaskflowTest.awaitStatus(added[0]!, "success")
      }))

    test("start when the client leaves a body that streams", (base) =>
      Effect.gen(function*() {
        const { leave } = yield* chunks(base, "/stream")
        leave()
        yield* TaskflowTest.awaitStatus(added[0]!, "success")
      }))

    test("start when the client leaves before there is a response", (base) =>
      Effect.gen(function*() {
        const request = nodeGet(`${base}/stuck`, { agent: false })
        request.on("error", () => {})
        yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => added.length > 0 })
        yield* othersRun
        expect(yield* statusOf(added[0]!)).toBe("pending")
        request.destroy()
        yield* TaskflowTest.awaitStatus(added[0]!, "success")
      }))
  })
}

describe("BackgroundTasks in a web handler", () => {
  const order: Array<string> = []
  const test = (
    what: string,
    run: (
      handler: (request: Request) => Promise<Response>
    ) => Effect.Effect<void, unknown, TaskManager>
  ) =>
    it.live(what, () =>
      Effect.promise(async () => {
        const runtime = ManagedRuntime.make(app)
        const { context } = await runtime.runtime()
        const manager = Context.get(context, TaskManager)
        const release = (taskId: TaskId.TaskId) => {
          order.push("released")
          manager.holding.release(taskId)
        }
        const watched = Context.make(TaskManager, { ...manager, holding: { ...manager.holding, release } })
        const { dispose, handler } = HttpLayerRouter.toWebHandler(
          Layer.provide(routes, Layer.succeedContext(watched)),
          { disableLogger: true }
        )
        order.splice(0)
        await runtime.runPromise(Effect.zipRight(fresh, run((request) => handler(request))))
        await dispose()
        await runtime.dispose()
      }))
  const get = (path: string, init?: RequestInit) => new Request(`http://app.example${path}`, init)

  test("start when the response was handed over, not a moment before", (handler) =>
    Effect.gen(function*() {
      const response = yield* Effect.promise(() =>
        handler(get("/text")).then((response) => {
          order.push("handed over")
          return response
        })
      )
      expect(response.status).toBe(202)
      yield* TaskflowTest.awaitStatus(added[0]!, "success")
      expect(order).toEqual(["handed over", "released"])
    }))

  test("wait for the end of a body that streams", (handler) =>
    Effect.gen(function*() {
      const response = yield* Effect.promise(() => handler(get("/stream")))
      yield* othersRun
      expect(yield* statusOf(added[0]!)).toBe("pending")
      yield* Deferred.succeed(body.end, undefined)
      expect(yield* Effect.promise(() => response.text())).toBe("firstlast")
      yield* TaskflowTest.awaitStatus(added[0]!, "success")
    }))

  test("start when a body that streams is dropped", (handler) =>
    Effect.gen(function*() {
      const response = yield* Effect.promise(() => handler(get("/stream")))
      yield* Effect.promise(() => response.body!.cancel())
      yield* TaskflowTest.awaitStatus(added[0]!, "success")
    }))

  test("start when the client leaves before there is a response", (handler) =>
    Effect.gen(function*() {
      const abort = new AbortController()
      void handler(get("/stuck", { signal: abort.signal }))
      yield* Effect.repeat(Effect.sleep("5 millis"), { until: () => added.length > 0 })
      abort.abort()
      yield* TaskflowTest.awaitStatus(added[0]!, "success")
    }))
})
