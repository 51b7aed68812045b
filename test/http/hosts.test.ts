/** TaskHost: one application behind web requests and Node's, at any prefix, with an end. */
import { createServer, type IncomingMessage, request as nodeRequest, type ServerResponse } from "node:http"
import { connect, createServer as createHttp2Server } from "node:http2"
import type { AddressInfo } from "node:net"
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, FiberId, Layer, Logger, ManagedRuntime, Redacted, Schema, Stream } from "effect"
import { BackgroundTasks, Task, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHost } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { engine } from "../support/engine.js"
import { expectSecured } from "./inProcess.js"
import { basic, send } from "./support.js"

const open = { auth: TaskAuth.open }

const Mail = Task.make("mail", { payload: { to: Schema.String } })
const Slow = Task.make("slow")
const quiet = Logger.remove(Logger.defaultLogger)
const application = Layer.provideMerge(
  Layer.provide(Layer.mergeAll(Mail.toLayer(() => Effect.void), Slow.toLayer(() => Effect.never)), quiet),
  engine()
).pipe(Layer.provideMerge(quiet))

/** A host, and a Node server in front of it; both end with the test. */
const withHost = async (
  options: Partial<TaskHost.TaskHostOptions>,
  body: (
    host: TaskHost.TaskHost<TaskManager, never>,
    serve: (listener: (request: IncomingMessage, response: ServerResponse) => void) => Promise<string>
  ) => Promise<void>
): Promise<void> => {
  const host = TaskHost.make(application, { ...open, ...options })
  const servers: Array<ReturnType<typeof createServer>> = []
  const serve = (listener: (request: IncomingMessage, response: ServerResponse) => void) =>
    new Promise<string>((resolve) => {
      const server = createServer(listener)
      servers.push(server)
      server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
    })
  try {
    await body(host, serve)
  } finally {
    for (const server of servers) {
      server.close()
      server.closeAllConnections()
    }
    await host.dispose()
  }
}

const ask = (base: string, path: string, method = "GET", headers: Record<string, string> = {}, body?: string) =>
  Effect.runPromise(send(base, method, path, headers, body))

const get = (path: string, init?: RequestInit) => new Request(`http://app.localhost${path}`, init)

describe("the place of the API", () => {
  it("has room for schedules of the longest names", () =>
    withHost({}, async (host) => {
      const name = "\u{1f600}".repeat(200)
      await host.runtime.runPromise(
        Effect.flatMap(TaskManager, ({ schedules }) => schedules.upsert(Slow, { name, every: "1 hour" }))
      )
      const response = await host.web(get(`/tasks/schedules/${encodeURIComponent(name)}`))
      expect(response.status).toBe(200)
    }))

  const places = [
    { prefix: "/tasks", at: undefined, seen: "/tasks" },
    { prefix: "/a/b/c", at: undefined, seen: "/a/b/c" },
    { prefix: "/a/b/c", at: "/", seen: "" },
    { prefix: "/admin/tasks", at: "/tasks", seen: "/tasks" },
    { prefix: "/", at: undefined, seen: "" },
    // What is left may begin like the prefix.
    { prefix: "/metrics", at: "/", seen: "" }
  ] as const
  for (const { at, prefix, seen } of places) {
    it(`is ${prefix} for clients, ${seen || "/"} for the handler`, () =>
      withHost({ prefix, ...(at === undefined ? {} : { at }) }, async (host, serve) => {
        const { taskId } = await host.runtime.runPromise(Mail.enqueue({ to: "ada" }))
        const shown = prefix === "/" ? "" : prefix
        const base = await serve((request, response) => host.node(request, response))
        for (
          const call of [
            async (path: string, method?: string) => {
              const { body, status } = await ask(base, path, method)
              return { body, status }
            },
            async (path: string, method = "GET") => {
              const response = await host.web(get(path, { method }))
              const text = await response.text()
              return { status: response.status, body: text === "" ? undefined : JSON.parse(text) }
            }
          ]
        ) {
          expect((await call(seen || "/")).body.items).toHaveLength(1)
          expect((await call(`${seen}/`)).body.items).toHaveLength(1)
          expect((await call(`${seen || "/"}?limit=1&task=none`)).body.items).toHaveLength(0)
          expect((await call(`${seen}/?limit=nope`)).status).toBe(400)
          expect((await call(`${seen}/metrics`)).body.total).toBe(1)
          expect((await call(`${seen}/${taskId}`)).body.taskName).toBe("mail")
          expect((await call(`${seen}/${encodeURIComponent(taskId.replace("-", "%2D"))}`)).status).toBe(404)
          expect((await call(`${seen}/${taskId.replace("-", "%2D")}`)).body.taskName).toBe("mail")
          expect(await call(seen || "/", "HEAD")).toEqual({ status: 200, body: undefined })
          const unknown = await call(`${seen}/a/b/c`)
          expect([unknown.status, unknown.body?._tag]).toEqual([404, shown === "" ? undefined : "NoSuchRoute"])
          const paths = Object.keys((await call(`${seen}/openapi.json`)).body.paths)
          expect(paths).toContain(`${shown}/metrics`)
        }
      }))
  }

  it("is told to who mounted it elsewhere; on Node the next handler has the word", () =>
    withHost({ prefix: "/tasks" }, async (host, serve) => {
      for (const path of ["/", "/metrics", "/tasksx", "/other/tasks"]) {
        const response = await host.web(get(path))
        expect(response.status).toBe(404)
        expect(await response.json()).toEqual({ _tag: "NoSuchRoute", message: expect.stringContaining("\"at\"") })
        const headers = Object.fromEntries(response.headers)
        expectSecured({ status: 404, headers, text: "", body: undefined }, path)
      }
      const alone = await serve((request, response) => host.node(request, response))
      expect((await ask(alone, "/metrics")).body.message).toContain("answers below /tasks")
      const chained = await serve((request, response) =>
        host.node(request, response, () => response.writeHead(418).end("next"))
      )
      expect((await ask(chained, "/metrics")).status).toBe(418)
      expect((await ask(chained, "/tasks")).status).toBe(200)
    }))

  it("has to be a path", () => {
    for (const place of [{ prefix: "/a b" }, { at: "/:id" }] as const) {
      expect(() => TaskHost.make(application, { ...open, ...place })).toThrow("a path of plain segments is expected")
    }
  })

  it("is closed to who has no credentials", () =>
    withHost({ auth: TaskAuth.basic({ username: "a", password: Redacted.make("b") }) }, async (host, serve) => {
      const base = await serve((request, response) => host.node(request, response))
      for (
        const path of ["/tasks", "/tasks/", "/tasks/metrics", "/tasks/openapi.json", "/tasks/x/y", "/tasks/%2e%2e"]
      ) {
        expect((await ask(base, path)).status, path).toBe(401)
        expect((await ask(base, path, "POST")).status, path).toBe(401)
      }
      for (const path of ["/tasks", "/tasks/metrics", "/tasks/x/y"]) {
        const response = await host.web(get(path))
        expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, expect.any(String)])
      }
      expect((await ask(base, "/tasks", "GET", basic("a", "b"))).status).toBe(200)
    }))
})

describe("on Node", () => {
  it("odd requests are answered, and nothing is thrown", () =>
    withHost({}, async (host, serve) => {
      const base = await serve((request, response) => host.node(request, response))
      const traced = await ask(base, "/tasks", "TRACE")
      expect(traced.status).toBe(404)
      expectSecured(traced, "TRACE")
      expect((await ask(base, "//tasks")).status).toBe(404)
      expect((await ask(base, "*", "OPTIONS")).status).toBe(404)
      expect((await ask(base, "http://else.example/tasks")).status).toBe(404)
      expect((await ask(base, "/tasks", "GET", { host: "not a host" })).status).toBe(403)
      expect((await ask(base, "/tasks/x/cancel", "POST", {}, "{\"a\":")).status).toBe(400)
    }))

  it("HTTP/2 requests are answered without the headers that it forbids", () =>
    withHost({}, async (host) => {
      const server = createHttp2Server((request, response) => host.node(request, response))
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const client = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
      const answer = await new Promise<{ status: unknown; text: string }>((resolve) => {
        const stream = client.request({ ":path": "/tasks?limit=1" })
        let status: unknown
        let text = ""
        stream.on("response", (headers) => {
          status = headers[":status"]
        })
        stream.on("data", (chunk: Buffer) => {
          text += chunk.toString()
        })
        stream.on("end", () => resolve({ status, text }))
        stream.end()
      })
      expect(answer.status).toBe(200)
      expect(JSON.parse(answer.text).items).toEqual([])
      client.close()
      server.close()
    }))
})

const statusOf = (taskId: string) =>
  Effect.map(Effect.flatMap(TaskManager, ({ get }) => get(taskId)), ({ status }) => status)
const othersRun = Effect.flatMap(
  Mail.enqueue({ to: "other" }, { priority: -1 }),
  ({ taskId }) => TaskflowTest.awaitStatus(taskId, "success")
)
const add = (to: string) =>
  Effect.flatMap(BackgroundTasks, (background) => Effect.map(background.add(Mail, { to }), ({ taskId }) => taskId))

describe("during", () => {
  it("what an effect adds starts when the response was written", () =>
    withHost({}, async (host, serve) => {
      const { runPromise } = host.runtime
      const finish = Effect.runSync(Deferred.make<void>())
      const ids: Array<string> = []
      const base = await serve((_, response) => {
        void host.during(response, Effect.all([add("a"), add("b")])).then(async (added) => {
          ids.push(...added)
          ids.push(await host.during(response, add("c")))
          response.writeHead(202)
          response.write("first")
          await Effect.runPromise(Deferred.await(finish))
          response.end("last")
        })
      })
      const answer = ask(base, "/")
      while (ids.length < 3) await new Promise((resolve) => setTimeout(resolve, 2))
      await runPromise(othersRun)
      expect(await runPromise(Effect.forEach(ids, statusOf))).toEqual(["pending", "pending", "pending"])
      await Effect.runPromise(Deferred.succeed(finish, undefined))
      expect((await answer).text).toBe("firstlast")
      for (const id of ids) await runPromise(TaskflowTest.awaitStatus(id, "success"))
    }))

  it("an effect that fails takes along what it added, and no other", () =>
    withHost({}, async (host, serve) => {
      const { runPromise } = host.runtime
      const ids: Array<string> = []
      const base = await serve(async (_, response) => {
        ids.push(await host.during(response, add("stays")))
        const failing = Effect.zipRight(
          Effect.map(add("goes"), (taskId) => ids.push(taskId)),
          Effect.fail(new Error("no stock"))
        )
        const message = await host.during(response, failing).catch((error: Error) => error.message)
        response.writeHead(409).end(message)
      })
      expect((await ask(base, "/")).text).toBe("no stock")
      await runPromise(TaskflowTest.awaitStatus(ids[0]!, "success"))
      await runPromise(TaskflowTest.awaitStatus(ids[1]!, "cancelled"))
    }))

  it("a response of 500 takes all along", () =>
    withHost({}, async (host, serve) => {
      const ids: Array<string> = []
      const base = await serve(async (_, response) => {
        ids.push(await host.during(response, add("goes")))
        response.writeHead(500).end()
      })
      await ask(base, "/")
      await host.runtime.runPromise(TaskflowTest.awaitStatus(ids[0]!, "cancelled"))
    }))

  it("a client that leaves interrupts the effect; what it added starts", () =>
    withHost({}, async (host, serve) => {
      const ids: Array<string> = []
      const interrupted = Deferred.unsafeMake<void>(FiberId.none)
      const base = await serve((_, response) => {
        const route = Effect.zipRight(Effect.map(add("stays"), (taskId) => ids.push(taskId)), Effect.never).pipe(
          Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
        )
        void host.during(response, route).catch(() => {})
      })
      const request = nodeRequest(base).on("error", () => {})
      request.end()
      while (ids.length < 1) await new Promise((resolve) => setTimeout(resolve, 2))
      expect(await host.runtime.runPromise(statusOf(ids[0]!))).toBe("pending")
      request.destroy()
      await Effect.runPromise(Deferred.await(interrupted))
      await host.runtime.runPromise(TaskflowTest.awaitStatus(ids[0]!, "success"))
    }))
})

describe("route", () => {
  it("is a web handler with BackgroundTasks", () =>
    withHost({}, async (host) => {
      const { runPromise } = host.runtime
      const ids: Array<string> = []
      const signup = host.route(Effect.gen(function*() {
        const { to } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ to: Schema.String }))
        ids.push(yield* add(to))
        if (to === "nobody") return yield* Effect.fail("no such address")
        return HttpServerResponse.unsafeJson({ taskId: ids.at(-1) }, { status: 202 })
      }))
      const post = (to: string) => signup(get("/signup", { method: "POST", body: JSON.stringify({ to }) }))
      const response = await post("ada")
      expect([response.status, await response.json()]).toEqual([202, { taskId: ids[0] }])
      await runPromise(TaskflowTest.awaitStatus(ids[0]!, "success"))
      expect((await post("nobody")).status).toBe(500)
      await runPromise(TaskflowTest.awaitStatus(ids[1]!, "cancelled"))
    }))

  it("a stream ends when the request is aborted, also on hosts that leave its body alone", () =>
    withHost({}, async (host) => {
      const ended = Deferred.unsafeMake<void>(FiberId.none)
      const ids: Array<string> = []
      const events = host.route(Effect.gen(function*() {
        ids.push(yield* add("ada"))
        const never = Stream.ensuring(Stream.never, Deferred.succeed(ended, undefined))
        return HttpServerResponse.stream(Stream.concat(Stream.make("first"), never).pipe(Stream.encodeText))
      }))
      const abort = new AbortController()
      const response = await events(get("/events", { signal: abort.signal }))
      const reader = response.body!.getReader()
      expect(new TextDecoder().decode((await reader.read()).value)).toBe("first")
      abort.abort()
      await Effect.runPromise(Deferred.await(ended))
      expect((await reader.read()).done).toBe(true)
      await host.runtime.runPromise(TaskflowTest.awaitStatus(ids[0]!, "success"))
    }))
})

describe("the life of the application", () => {
  it("begins with start, or with the first request; ends once", async () => {
    const seen: Array<string> = []
    const lived = Layer.scopedDiscard(Effect.acquireRelease(
      Effect.sync(() => seen.push("begins")),
      () => Effect.sync(() => seen.push("ends"))
    ))
    const host = TaskHost.make(Layer.merge(application, lived), open)
    expect(seen).toEqual([])
    await host.start()
    await host.start()
    expect((await host.web(get("/tasks"))).status).toBe(200)
    expect(seen).toEqual(["begins"])
    await Promise.all([host.dispose(), host.dispose()])
    await host.dispose()
    expect(seen).toEqual(["begins", "ends"])
    const late = await host.web(get("/tasks"))
    expect([late.status, await late.json()]).toEqual([503, { _tag: "Unavailable", message: expect.any(String) }])
  })

  it("takes the runtime that an application has", async () => {
    const runtime = ManagedRuntime.make(application)
    const host = TaskHost.make(runtime, open)
    const { taskId } = await runtime.runPromise(Mail.enqueue({ to: "ada" }))
    const list = await (await host.web(get("/tasks"))).json() as { items: ReadonlyArray<{ taskId: string }> }
    expect(list.items.map((task) => task.taskId)).toEqual([taskId])
    await host.dispose()
  })

  it("an application that cannot start is said to be unavailable, and nothing of why", async () => {
    const broken = Layer.merge(application, Layer.effectDiscard(Effect.fail(new Error("secret address"))))
    const host = TaskHost.make(broken, open)
    await expect(host.start()).rejects.toThrow("secret address")
    const response = await host.web(get("/tasks"))
    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain("secret")
    await host.dispose()
  })

  it("dispose lets running tasks finish", async () => {
    const release = Deferred.unsafeMake<void>(FiberId.none)
    const ended: Array<string> = []
    const Report = Task.make("report")
    const layer = Layer.provideMerge(
      Report.toLayer(() => Effect.zipRight(Deferred.await(release), Effect.sync(() => void ended.push("report")))),
      engine({ shutdownTimeout: "20 seconds" })
    ).pipe(Layer.provideMerge(quiet))
    const host = TaskHost.make(layer, open)
    const { taskId } = await host.runtime.runPromise(Report.enqueue())
    await host.runtime.runPromise(TaskflowTest.awaitStatus(taskId, "running"))
    const disposed = host.dispose().then(() => ended.push("disposed"))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(ended).toEqual([])
    await Effect.runPromise(Deferred.succeed(release, undefined))
    await disposed
    expect(ended).toEqual(["report", "disposed"])
  })
})
