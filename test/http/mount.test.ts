import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpLayerRouter,
  HttpRouter,
  HttpServer,
  HttpServerResponse
} from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, ManagedRuntime, Redacted, Schema, type Scope } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { type Answer, basic, Fails, Hangs, Orphan, send, serve, serveApp, tasks, Works } from "./support.js"

const open = { auth: TaskAuth.open, displayArguments: "logs" } as const

/** What has to work wherever the API is mounted. */
const journey = (base: string, prefix: string) =>
  Effect.gen(function*() {
    const root = prefix === "" ? "/" : prefix
    const works = yield* Works.enqueue({ n: 1 })
    const failed = yield* Fails.enqueue()
    const hangs = yield* Hangs.enqueue({ note: "x" })
    yield* TaskflowTest.awaitStatus(works.taskId, "success")
    yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
    yield* TaskflowTest.awaitStatus(hangs.taskId, "running")
    const get = (path: string): Effect.Effect<Answer> => send(base, "GET", path)

    expect((yield* get(root)).body.items).toHaveLength(3)
    expect((yield* get(`${prefix}/`)).body.items).toHaveLength(3)
    expect((yield* get(`${root}?limit=1`)).body.items).toHaveLength(1)
    expect((yield* get(`${prefix}/?status=failed`)).body.items).toHaveLength(1)
    expect((yield* get(`${root}?limit=nope`)).status).toBe(400)
    expect((yield* get(`${prefix}/metrics`)).body.total).toBe(3)
    expect((yield* get(`${prefix}/metrics?task=works`)).body.total).toBe(1)
    expect((yield* get(`${prefix}/${works.taskId}`)).body.status).toBe("success")
    expect((yield* get(`${prefix}/${works.taskId}/logs?after=1`)).body.items).toHaveLength(1)
    expect((yield* get(`${prefix}/${works.taskId}/attempts`)).body.items).toHaveLength(1)
    expect((yield* send(base, "POST", `${prefix}/${failed.taskId}/retry`)).status).toBe(200)
    expect((yield* send(base, "POST", `${prefix}/${hangs.taskId}/cancel`)).status).toBe(202)
    const { body } = yield* get(`${prefix}/openapi.json`)
    expect(Object.keys(body.paths)).toContain(root)
    expect(Object.keys(body.paths)).toContain(`${prefix}/{id}/retry`)
  })

/** A name as long as names may be. */
const longName = "\u{1f600}".repeat(200)

const ofLongNames = (base: string) =>
  Effect.gen(function*() {
    const { schedules } = yield* TaskManager
    for (const name of [longName, "x".repeat(200)]) {
      yield* schedules.upsert(Hangs, { name, every: "1 hour", payload: { note: "x" } })
      const { body, status } = yield* send(base, "GET", `/tasks/schedules/${encodeURIComponent(name)}`)
      expect([status, body.name]).toEqual([200, name])
    }
  })

describe("schedules of the longest names", () => {
  it.scopedLive("are found in a classic HttpRouter, and where the application's own router has room for them", () =>
    Effect.gen(function*() {
      const router = yield* TaskHttp.router(open)
      yield* ofLongNames(yield* serveApp(HttpServer.serve(HttpRouter.empty.pipe(HttpRouter.mount("/tasks", router)))))
      yield* ofLongNames(
        yield* serveApp(HttpLayerRouter.serve(TaskHttp.layer(open), {
          disableLogger: true,
          disableListenLog: true,
          routerConfig: { maxParamLength: 400 }
        }))
      )
    }).pipe(Effect.provide(tasks())))
})

describe("TaskHttp.layer", () => {
  for (
    const [given, prefix] of [["/admin/background-tasks", "/admin/background-tasks"], ["/ops/", "/ops"], [
      "/",
      ""
    ]] as const
  ) {
    it.scopedLive(`works at ${given}`, () =>
      Effect.gen(function*() {
        yield* journey(yield* serve(TaskHttp.layer({ ...open, prefix: given })), prefix)
      }).pipe(Effect.provide(tasks())))
  }

  it.scopedLive("works twice in one server, each with its own settings", () =>
    Effect.gen(function*() {
      const base = yield* serve(Layer.mergeAll(
        TaskHttp.layer({
          auth: TaskAuth.basic({ username: "a", password: Redacted.make("b") }),
          displayArguments: true
        }),
        TaskHttp.layer({ ...open, prefix: "/public" })
      ))
      const { taskId } = yield* Works.enqueue({ n: 1 })
      expect((yield* send(base, "GET", `/tasks/${taskId}`)).status).toBe(401)
      expect((yield* send(base, "GET", `/tasks/${taskId}`, basic("a", "b"))).body.payload).toEqual({ n: 1 })
      expect((yield* send(base, "GET", `/public/${taskId}`)).body).not.toHaveProperty("payload")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("leaves an equally named group of the application's HttpApi alone", () =>
    Effect.gen(function*() {
      const api = HttpApi.make("taskflow").add(
        HttpApiGroup.make("tasks").add(HttpApiEndpoint.get("list", "/own").addSuccess(Schema.String))
      )
      const own = HttpLayerRouter.addHttpApi(api).pipe(
        Layer.provide(HttpApiBuilder.group(api, "tasks", (group) => group.handle("list", () => Effect.succeed("own"))))
      )
      const base = yield* serve(Layer.mergeAll(own, TaskHttp.layer(open)))
      expect((yield* send(base, "GET", "/own")).body).toBe("own")
      yield* journey(base, "/tasks")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("answers unknown paths below the prefix with a tagged body, and leaves the rest to the application", () =>
    Effect.gen(function*() {
      const fallback = HttpLayerRouter.add("*", "/app/*", HttpServerResponse.text("app", { status: 418 }))
      const base = yield* serve(Layer.mergeAll(fallback, TaskHttp.layer(open)))
      for (
        const [method, path] of [["GET", "/tasks/a/b/c"], ["DELETE", "/tasks"], ["POST", "/tasks/metrics"]] as const
      ) {
        const { body, status } = yield* send(base, method, path)
        expect(status).toBe(404)
        expect(body).toEqual({ _tag: "NoSuchRoute", message: expect.any(String) })
      }
      expect((yield* send(base, "GET", "/app/x")).status).toBe(418)
      const other = yield* send(base, "GET", "/other")
      expect([other.status, other.text]).toEqual([404, ""])
    }).pipe(Effect.provide(tasks())))

  const dying = <A, E>(effect: Effect.Effect<A, E, TaskManager | Scope.Scope>) =>
    Effect.map(
      Effect.exit(Effect.scoped(effect)),
      (exit) => Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "it was built"
    ).pipe(Effect.provide(tasks()))
  const builds = (options: TaskHttp.TaskHttpOptions) =>
    dying(Layer.build(Layer.provide(TaskHttp.layer(options), HttpLayerRouter.layer)))

  it.effect("fails the build for a prefix that is no plain path, and without auth", () =>
    Effect.gen(function*() {
      for (const prefix of ["/a b", "/:id", "/*", "/a?b", "/a//b", "//evil.example", "/a#b", "/ä"] as const) {
        expect(yield* builds({ ...open, prefix })).toContain(JSON.stringify(prefix))
      }
      // safe: what JavaScript lets a caller do
      expect(yield* builds({} as TaskHttp.TaskHttpOptions)).toContain("auth is missing")
      expect(yield* dying(TaskHttp.router({} as TaskHttp.TaskHttpOptions))).toContain("auth is missing")
      expect(yield* builds(open)).toBe("it was built")
    }))
})

describe("TaskHttp.router", () => {
  const app = (
    mounted: (tasks: HttpRouter.HttpRouter) => HttpRouter.HttpRouter<any>,
    options: TaskHttp.TaskHttpOptions = open
  ) =>
    serveApp(Layer.unwrapScoped(Effect.map(TaskHttp.router(options), (router) =>
      HttpServer.serve(
        HttpRouter.empty.pipe(HttpRouter.get("/", HttpServerResponse.text("home")), HttpRouter.concat(mounted(router)))
      ))))

  it.scopedLive("works mounted in the classic HttpRouter", () =>
    Effect.gen(function*() {
      const base = yield* app((router) => HttpRouter.mount(HttpRouter.empty, "/tasks", router))
      expect((yield* send(base, "GET", "/")).text).toBe("home")
      yield* journey(base, "/tasks")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("works mounted as an app, at another path", () =>
    Effect.gen(function*() {
      const base = yield* app(
        (router) => HttpRouter.mountApp(HttpRouter.empty, "/admin/tasks", router),
        { ...open, prefix: "/admin/tasks" }
      )
      expect((yield* send(base, "GET", "/")).text).toBe("home")
      expect((yield* send(base, "GET", "/admin/taskss")).status).toBe(404)
      yield* journey(base, "/admin/tasks")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("is guarded, and answers unknown paths and long ids with a tagged body", () =>
    Effect.gen(function*() {
      const auth = TaskAuth.basic({ username: "a", password: Redacted.make("b") })
      const base = yield* app((router) => HttpRouter.mount(HttpRouter.empty, "/tasks", router), { auth })
      for (const path of ["/tasks", "/tasks?x=1", "/tasks/metrics", "/tasks/openapi.json", "/tasks/x/y/z"]) {
        expect((yield* send(base, "GET", path)).status, path).toBe(401)
      }
      for (const path of ["/tasks/x/y/z", `/tasks/${"a".repeat(2_000)}`]) {
        const { body, status } = yield* send(base, "GET", path, basic("a", "b"))
        expect([status, body._tag]).toEqual([404, "NoSuchRoute"])
      }
    }).pipe(Effect.provide(tasks())))
})

describe("a web handler", () => {
  it.live("works without a server or platform services, and disposes", () =>
    Effect.promise(async () => {
      const runtime = ManagedRuntime.make(tasks())
      const manager = await runtime.runtime()
      const { dispose, handler } = HttpLayerRouter.toWebHandler(
        TaskHttp.layer(open).pipe(Layer.provide(Layer.succeedContext(manager.context))),
        { disableLogger: true }
      )
      const { taskId } = await runtime.runPromise(Orphan.enqueue({ note: "x" }))
      const list = await handler(new Request("http://tasks.localhost/tasks?limit=5"))
      expect(((await list.json()) as any).items).toHaveLength(1)
      const evil = await handler(
        new Request(`http://tasks.localhost/tasks/${taskId}/cancel`, {
          method: "POST",
          headers: { origin: "http://evil.example" }
        })
      )
      expect(evil.status).toBe(403)
      const fine = await handler(
        new Request(`http://tasks.localhost/tasks/${taskId}/cancel`, {
          method: "POST",
          headers: { origin: "http://tasks.localhost", "x-taskflow": "1" }
        })
      )
      expect(fine.status).toBe(200)
      await dispose()
      await runtime.dispose()
    }))
})
