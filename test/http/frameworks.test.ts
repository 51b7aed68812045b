/** What real frameworks do to requests before they come to TaskHost: paths that are cut, bodies that are read, clients that leave. */
import { createServer, type IncomingMessage, request, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { HttpServerResponse } from "@effect/platform"
import { getRequestListener } from "@hono/node-server"
import { Deferred, Effect, FiberId, Layer, Logger, Redacted, Schema, Stream } from "effect"
import { BackgroundTasks, Task, type TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHost } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import express from "express"
import Fastify from "fastify"
import { Hono } from "hono"
import { afterEach, describe, expect, it } from "vitest"
import { engine } from "../support/engine.js"

const Mail = Task.make("mail", { payload: { to: Schema.String } })
const application = Mail.toLayer(() => Effect.void).pipe(
  Layer.provide(Logger.remove(Logger.defaultLogger)),
  Layer.provideMerge(engine())
)

const ends: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const hostAt = (prefix: `/${string}`, at?: `/${string}`, auth: TaskAuth.TaskAuth = TaskAuth.open) => {
  const host = TaskHost.make(application, { auth, prefix, at })
  ends.push(host.dispose)
  return host
}

const listen = (listener: RequestListener): Promise<string> =>
  new Promise((resolve) => {
    const server = createServer(listener)
    ends.unshift(() =>
      new Promise((done) => {
        server.close(done)
        server.closeAllConnections()
      })
    )
    server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })

/** A route that adds a task and streams until its client leaves. */
const leaving = () => {
  const left = Deferred.unsafeMake<void>(FiberId.none)
  const ids: Array<string> = []
  const app = Effect.gen(function*() {
    const background = yield* BackgroundTasks
    ids.push((yield* background.add(Mail, { to: "ada" })).taskId)
    const never = Stream.ensuring(Stream.never, Deferred.succeed(left, undefined))
    return HttpServerResponse.stream(Stream.concat(Stream.make("first"), never).pipe(Stream.encodeText))
  })
  return { app, ids, left: () => Effect.runPromise(Deferred.await(left)) }
}

const firstOf = (url: string) =>
  new Promise<{ readonly text: string; readonly leave: () => void }>((resolve) => {
    const asked = request(url, { agent: false }, (response: IncomingMessage) => {
      response.on("error", () => {})
      response.once("data", (chunk) => resolve({ text: String(chunk), leave: () => void asked.destroy() }))
    })
    asked.on("error", () => {}).end()
  })

const works = async (base: string, path: string, shown = path) => {
  const get = async (rest: string) => {
    const response = await fetch(`${base}${path}${rest}`)
    return { status: response.status, body: await response.json() as any }
  }
  expect((await get("?limit=1")).body.items).toEqual([])
  expect((await get("/metrics?task=none")).body.total).toBe(0)
  expect((await get("/a%20b/c")).body._tag).toBe("NoSuchRoute")
  expect(Object.keys((await get("/openapi.json")).body.paths)).toContain(`${shown}/metrics`)
  const page = await fetch(`${base}${path}/dashboard/runs`)
  const script = /<script type="module" src="([^"]+)"/.exec(await page.text())![1]!
  const asset = await fetch(new URL(script, page.url), { headers: { "accept-encoding": "br" } })
  expect([page.status, asset.status, asset.headers.get("content-encoding")]).toEqual([200, 200, "br"])
  expect((await asset.text()).length).toBeGreaterThan(10_000)
  const cancel = await fetch(`${base}${path}/x/cancel`, {
    method: "POST",
    body: JSON.stringify({ a: 1 }),
    headers: { "content-type": "application/json" }
  })
  expect([cancel.status, (await cancel.json() as any)._tag]).toEqual([404, "TaskNotFound"])
}

const endsWhenLeft = async (
  url: string,
  host: TaskHost.TaskHost<TaskManager, never>,
  { ids, left }: ReturnType<typeof leaving>
) => {
  const { leave, text } = await firstOf(url)
  expect(text).toBe("first")
  leave()
  await left()
  await host.runtime.runPromise(TaskflowTest.awaitStatus(ids[0]!, "success"))
}

/** Reads the live stream to its end, and calls `greeted` when it has begun. */
const lastOf = async (url: string, greeted: () => void) => {
  const response = await fetch(url)
  let text = ""
  const decoder = new TextDecoder()
  for await (const bytes of response.body!) {
    const before = text
    text += decoder.decode(bytes, { stream: true })
    if (!before.includes("hello") && text.includes("hello")) greeted()
  }
  return text.trim().split("\n").at(-1)
}

/** Opens the live stream, ends the application, and expects to hear why. */
const saysGoodbye = async (url: string, host: TaskHost.TaskHost<TaskManager, never>) => {
  let disposed: Promise<void> | undefined
  const last = await lastOf(url, () => {
    disposed = host.dispose()
  })
  await disposed
  expect(last).toBe(`data: {"t":"bye","why":"shutdown"}`)
}

/** Logs in below `path` as a browser would, and expects the cookie to be for that path and to work. */
const keepsSessions = async (base: string, path: `/${string}`) => {
  const write = (rest: string, headers: Record<string, string>, body?: string) =>
    fetch(`${base}${path}${rest}`, { method: "POST", headers, ...(body === undefined ? {} : { body }) })
  const json = { "content-type": "application/json", "x-taskflow": "1", origin: base }
  const entered = await write("/auth/login", json, JSON.stringify({ username: "ada", password: "pass" }))
  const [cookie = ""] = entered.headers.getSetCookie()
  expect(cookie).toContain(`Path=${path};`)
  const session = { cookie: cookie.split(";")[0]! }
  const who = async () => (await fetch(`${base}${path}/auth/session`, { headers: session })).status
  expect(await who()).toBe(200)
  expect((await write("/pause", { ...session, origin: "http://elsewhere.example", "x-taskflow": "1" })).status).toBe(
    403
  )
  expect((await write("/pause", { ...session, origin: base, "x-taskflow": "1" })).status).toBe(200)
  expect((await write("/auth/logout", { ...session, origin: base, "x-taskflow": "1" })).status).toBe(204)
  expect(await who()).toBe(401)
}

describe("sessions", () => {
  const closed = (at?: `/${string}`) =>
    hostAt("/admin/tasks", at, TaskAuth.basic({ username: "ada", password: Redacted.make("pass") }))

  it("in Express, below a nested router", async () => {
    const router = express.Router().use("/tasks", closed("/").node)
    await keepsSessions(await listen(express().use("/admin", router)), "/admin/tasks")
  })

  it("in Fastify", async () => {
    const host = closed()
    const app = Fastify()
    ends.unshift(() => app.close())
    app.removeAllContentTypeParsers()
    app.addContentTypeParser("*", (_request, _body, done) => done(null))
    app.all("/admin/tasks/*", (from, reply) => {
      reply.hijack()
      host.node(from.raw, reply.raw)
    })
    await keepsSessions(await app.listen({ port: 0, host: "127.0.0.1" }), "/admin/tasks")
  })

  it("in Hono, mounted in an app that is a route of another", async () => {
    const app = new Hono().route("/admin", new Hono().mount("/tasks", closed("/").web))
    await keepsSessions(await listen(getRequestListener(app.fetch)), "/admin/tasks")
  })
})

describe("Express", () => {
  it("in nested routers, behind body parsers, beside a route for the rest", async () => {
    const app = express().use(express.json())
    const router = express.Router().use("/tasks", hostAt("/admin/tasks", "/").node)
    app.use("/admin", router)
    // Not cut off: what is not below the prefix is for the next.
    app.use(hostAt("/tasks").node)
    app.use((_, response) => void response.status(418).json({}))
    const base = await listen(app)
    await works(base, "/admin/tasks")
    await works(base, "/tasks")
    expect((await fetch(`${base}/other`)).status).toBe(418)
  })

  it("HEAD of the live stream is answered and opens none", async () => {
    const host = TaskHost.make(application, { auth: TaskAuth.open, maxStreams: 1 })
    ends.push(host.dispose)
    const base = await listen(express().use(host.node))
    for (let n = 0; n < 3; n++) {
      const { headers, status } = await fetch(`${base}/tasks/stream`, { method: "HEAD" })
      expect([status, headers.get("content-type")]).toEqual([200, "text/event-stream"])
    }
  })

  it("the live stream says why it ends", async () => {
    const host = hostAt("/tasks", "/")
    await saysGoodbye(`${await listen(express().use("/tasks", host.node))}/tasks/stream`, host)
  })

  it("a client that leaves ends its stream", async () => {
    const host = hostAt("/tasks")
    const route = leaving()
    const base = await listen(express().get("/events", host.nodeRoute(route.app)))
    await endsWhenLeft(`${base}/events`, host, route)
  })

  it("an effect that fails is Express's error, and what it added does not run", async () => {
    const host = hostAt("/tasks")
    const ids: Array<string> = []
    const app = express().get("/", async (_, response) => {
      await host.during(
        response,
        Effect.flatMap(BackgroundTasks, (background) => background.add(Mail, { to: "ada" })).pipe(
          Effect.map(({ taskId }) => ids.push(taskId)),
          Effect.zipRight(Effect.fail(new Error("no stock")))
        )
      )
    })
    app.use(
      (error: Error, _: express.Request, response: express.Response, _next: express.NextFunction) =>
        void response.status(500).send(error.message)
    )
    const answer = await fetch(await listen(app))
    expect([answer.status, await answer.text()]).toEqual([500, "no stock"])
    await host.runtime.runPromise(TaskflowTest.awaitStatus(ids[0]!, "cancelled"))
  })
})

describe("Fastify", () => {
  it("below a prefix of its own; a client that leaves ends its stream, the live stream says why it ends", async () => {
    const host = hostAt("/admin/tasks")
    const route = leaving()
    const stream = host.nodeRoute(route.app)
    const app = Fastify()
    ends.unshift(() => app.close())
    await app.register(async (api) => {
      api.removeAllContentTypeParsers()
      api.addContentTypeParser("*", (_request, _body, done) => done(null))
      for (const path of ["/tasks", "/tasks/*"]) {
        api.all(path, (from, reply) => {
          reply.hijack()
          host.node(from.raw, reply.raw)
        })
      }
    }, { prefix: "/admin" })
    app.get("/events", (from, reply) => {
      reply.hijack()
      stream(from.raw, reply.raw)
    })
    const base = await app.listen({ port: 0, host: "127.0.0.1" })
    await works(base, "/admin/tasks")
    await endsWhenLeft(`${base}/events`, host, route)
    await saysGoodbye(`${base}/admin/tasks/stream`, host)
  })
})

describe("Hono", () => {
  it("mounted in an app that is a route of another; a client that leaves ends its stream, the live stream says why it ends", async () => {
    const host = hostAt("/admin/tasks", "/")
    const route = leaving()
    const stream = host.route(route.app)
    const inner = new Hono().mount("/tasks", host.web).get("/events", (context) => stream(context.req.raw))
    const app = new Hono().route("/admin", inner)
    const base = await listen(getRequestListener(app.fetch))
    await works(base, "/admin/tasks")
    await endsWhenLeft(`${base}/admin/events`, host, route)
    await saysGoodbye(`${base}/admin/tasks/stream`, host)
  })

  it("as a route that keeps the whole path", async () => {
    const host = hostAt("/tasks")
    const app = new Hono().all("/tasks/*", (context) => host.web(context.req.raw))
    await works(await listen(getRequestListener(app.fetch)), "/tasks")
  })
})

describe("a proxy", () => {
  it("that cuts a part of the prefix off", async () => {
    const host = hostAt("/admin/tasks", "/tasks")
    const inner = await listen((from, to) => host.node(from, to))
    const { port } = new URL(inner)
    const outer = await listen((from, to) => {
      const path = from.url!.replace(/^\/admin/, "")
      const onward = request(
        { port, host: "127.0.0.1", path, method: from.method, headers: from.headers },
        (answer) => {
          to.writeHead(answer.statusCode!, answer.headers)
          answer.pipe(to)
        }
      )
      from.pipe(onward)
    })
    await works(outer, "/admin/tasks")
  })
})
