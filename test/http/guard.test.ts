import { request as nodeRequest } from "node:http"
import { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted, Schedule, Stream, TestClock } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { requires } from "../../src/http/auth/permission.js"
import * as Guard from "../../src/http/guard.js"
import type { CurrentUser } from "../../src/http/TaskUser.js"
import { allowed, permissions } from "../../src/http/TaskUser.js"
import { collectedLogs, wrappedBackend } from "../support/engine.js"
import { type Ask, type Asked, cookieOf, inProcess, json, login, withCookie } from "./inProcess.js"
import { type Answer, basic, Orphan, send, serve, tasks } from "./support.js"

const id = "01890a5d-ac96-774b-bcce-b302099a8057"
const secretKey = Redacted.make("k".repeat(32))
const token = { authorization: "Bearer 0123456789abcdef" }
const ada = TaskAuth.users({ users: [{ username: "ada", password: Redacted.make("right") }] })
const ci = TaskAuth.bearer({ tokens: [{ name: "ci", token: Redacted.make("0123456789abcdef"), access: "operator" }] })
const hosted = TaskAuth.authorize(({ cookies, headers }) =>
  Effect.succeed(
    cookies["app"] === "eve" || headers["x-user"] === "eve" ? { name: "eve", access: "operator" as const } : null
  )
)
const brief = ({ body, status }: Answer) => [status, body?._tag]

describe("a write", () => {
  const sites = [undefined, "same-origin", "none", "same-site", "cross-site", "", "nonsense"]
  const origins = [
    undefined,
    "http://tasks.localhost",
    "http://evil.example",
    "https://tasks.localhost:444",
    "null",
    "%"
  ]
  const markers = [undefined, "1", "0", ""]
  /** Whether the browser may have added what the caller is known by, without a page having asked for it. */
  const kinds: ReadonlyArray<readonly [name: string, headers: Record<string, string>, ambient: boolean]> = [
    ["session", {}, true],
    ["basic", basic("ada", "right"), false],
    ["bearer", token, false],
    ["cookie of the host", { cookie: "app=eve" }, true],
    ["header of the host", { "x-user": "eve" }, false],
    ["open", {}, false]
  ]

  it.scoped("passes or is refused by where it comes from, who sends it and the header x-taskflow", () =>
    Effect.gen(function*() {
      const closed = yield* inProcess({ auth: TaskAuth.any(hosted, ci, ada), secretKey })
      const open = yield* inProcess({ auth: TaskAuth.open })
      const session = cookieOf(yield* login(closed, "ada", "right"))
      let cases = 0
      for (const [kind, own, ambient] of kinds) {
        const ask = kind === "open" ? open : closed
        for (const site of sites) {
          for (const origin of origins) {
            for (const marker of markers) {
              const headers: Record<string, string> = {
                ...own,
                ...(kind === "session" ? { cookie: session } : {}),
                ...(site === undefined ? {} : { "sec-fetch-site": site }),
                ...(origin === undefined ? {} : { origin }),
                ...(marker === undefined ? {} : { "x-taskflow": marker })
              }
              const cross = site === undefined
                ? origin !== undefined && origin !== "http://tasks.localhost"
                : site !== "same-origin" && site !== "none"
              const strict = ambient || site !== undefined || origin !== undefined
              const expected = cross
                ? [403, "CrossSiteRequest"]
                : strict && marker !== "1"
                ? [403, "HeaderRequired"]
                : [404, "TaskNotFound"]
              const what = JSON.stringify({ kind, site, origin, marker })
              expect(brief(yield* ask("POST", `/tasks/${id}/cancel`, { headers })), what).toEqual(expected)
              cases += 1
            }
          }
        }
      }
      expect(cases).toBe(6 * 7 * 6 * 4)
    }).pipe(Effect.provide(tasks())))

  it.scoped("is whatever is no GET, HEAD or OPTIONS, on any path; what only reads may come from anywhere", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: TaskAuth.open })
      const headers = { "sec-fetch-site": "cross-site" }
      for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
        for (const path of ["/tasks", `/tasks/${id}/cancel`, "/tasks/nothing/is/here", "/tasks/openapi.json"]) {
          expect(brief(yield* ask(method, path, { headers })), `${method} ${path}`).toEqual([403, "CrossSiteRequest"])
        }
      }
      for (const method of ["GET", "HEAD", "OPTIONS"]) {
        expect([200, 404], method).toContain((yield* ask(method, "/tasks", { headers })).status)
      }
    }).pipe(Effect.provide(tasks())))

  it.scoped("compares Origin with the public origin where one is given", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: hosted, publicOrigin: "https://ops.example.com" })
      const from = (origin: string, host: string) =>
        ask("POST", `/tasks/${id}/cancel`, { headers: { "x-user": "eve", "x-taskflow": "1", origin, host } })
      const passes: ReadonlyArray<readonly [string, string, boolean]> = [
        ["https://ops.example.com", "backend:3000", true],
        ["https://ops.example.com", "ops.example.com", true],
        ["http://ops.example.com", "backend:3000", false],
        ["https://ops.example.com:444", "backend:3000", false],
        ["http://127.0.0.1:3000", "127.0.0.1:3000", true],
        ["http://localhost:3000", "localhost:3000", true],
        // A name that was made to lead here.
        ["http://evil.example", "evil.example", false],
        ["http://evil.example:3000", "evil.example:3000", false]
      ]
      for (const [origin, host, passing] of passes) {
        expect((yield* from(origin, host)).status, `${origin} ${host}`).toBe(passing ? 404 : 403)
      }
    }).pipe(Effect.provide(tasks())))

  it.scoped("has a JSON body or none: of a browser it has to say so, of a program it may", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: TaskAuth.open })
      const browser = { "sec-fetch-site": "same-origin", "x-taskflow": "1" }
      const post = (headers: Record<string, string>, body?: string) =>
        Effect.map(ask("POST", `/tasks/${id}/cancel`, { headers, body }), ({ status }) => status)
      const bytes = new Blob(["{}"]).stream()
      for (
        const [program, type, body, expected] of [
          [false, undefined, undefined, 404],
          [false, "text/plain", undefined, 404],
          [false, "application/json", "{}", 404],
          [false, "Application/JSON ; charset=utf-8", "{}", 404],
          [false, "text/plain", "{}", 415],
          [false, "text/plain; application/json", "{}", 415],
          [false, "application/jsonp", "{}", 415],
          [false, "multipart/form-data; boundary=x", "--x--", 415],
          [false, "application/x-www-form-urlencoded", "a=b", 415],
          [true, "application/x-www-form-urlencoded", "a=b", 415],
          [true, "application/json", "{}", 404],
          [true, "application/json", "{", 400],
          [true, "application/json", "\u0000", 400]
        ] as const
      ) {
        const headers = { ...(program ? {} : browser), ...(type === undefined ? {} : { "content-type": type }) }
        expect(yield* post(headers, body), JSON.stringify([program, type, body])).toBe(expected)
      }
      // A stream has no type of its own.
      const untyped = (headers: Record<string, string>, body: ReadableStream<Uint8Array>) =>
        Effect.map(ask("POST", `/tasks/${id}/cancel`, { headers, body }), brief)
      expect(yield* untyped(browser, bytes)).toEqual([415, "UnsupportedMediaType"])
      expect(yield* untyped({}, new Blob(["{}"]).stream())).toEqual([404, "TaskNotFound"])
      expect(yield* untyped({}, new Blob([new Uint8Array([0x22, 0xff, 0x22])]).stream())).toEqual([
        400,
        "BodyMalformed"
      ])
    }).pipe(Effect.provide(tasks())))
})

describe("an open server", () => {
  it.scoped("says so once at start, and a closed one does not", () =>
    Effect.gen(function*() {
      const { layer, lines } = collectedLogs()
      yield* Effect.provide(inProcess({ auth: ci }), layer)
      expect(lines).toEqual([])
      const ask = yield* Effect.provide(inProcess({ auth: TaskAuth.open }), layer)
      yield* ask("GET", "/tasks")
      expect(lines.map(({ level }) => level)).toEqual(["Warning"])
      expect(lines[0]!.message).toContain("open")
    }).pipe(Effect.provide(tasks())))

  it.scoped("with a public origin answers to no other name, so no page of another name reads it", () =>
    Effect.gen(function*() {
      const publicOrigin = "https://ops.example.com"
      const open = yield* inProcess({ auth: TaskAuth.open, publicOrigin })
      const behind = yield* inProcess({ auth: TaskAuth.open, publicOrigin, trustProxy: true })
      const get = (ask: Ask, headers: Record<string, string>) =>
        Effect.map(ask("GET", "/tasks", { headers: { "sec-fetch-site": "same-origin", ...headers } }), brief)
      for (const host of ["ops.example.com", "OPS.example.com", "localhost:3000", "127.0.0.1:3000", "[::1]:3000"]) {
        expect((yield* get(open, { host }))[0], host).toBe(200)
      }
      for (
        const host of ["evil.example", "ops.example.com.evil.example", "ops.example.com:3000", "127.0.0.1.evil", "["]
      ) {
        expect(yield* get(open, { host }), host).toEqual([403, "CrossSiteRequest"])
      }
      expect((yield* get(open, { host: "evil.example", "x-forwarded-host": "ops.example.com" }))[0]).toBe(403)
      expect((yield* get(behind, { host: "backend", "x-forwarded-host": "ops.example.com" }))[0]).toBe(200)
    }).pipe(Effect.provide(tasks())))

  it.scoped("without one answers to names that no stranger can have, so a page whose name is made to point here reads nothing", () =>
    Effect.gen(function*() {
      const open = yield* inProcess({ auth: TaskAuth.open })
      const closed = yield* inProcess({ auth: ci })
      const get = (host: string, ask = open) => Effect.map(ask("GET", "/tasks", { headers: { host, ...token } }), brief)
      for (
        const host of ["localhost", "app.localhost:3000", "127.0.0.1", "10.0.0.7:80", "[::1]:3000", "tasks", "tasks:80"]
      ) {
        expect((yield* get(host))[0], host).toBe(200)
      }
      for (
        const host of ["evil.example", "evil.example:3000", "localhost.evil.example", "127.0.0.1.evil.example", "["]
      ) {
        expect(yield* get(host), host).toEqual([403, "CrossSiteRequest"])
        // Whoever has to bring a credential brings none of ours to a page of another name.
        expect((yield* get(host, closed))[0], host).toBe(200)
      }
    }).pipe(Effect.provide(tasks())))
})

describe("a request", () => {
  it.scoped("is bounded in its URL", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: ci })
      const get = (length: number) => ask("GET", `/tasks?x=${"a".repeat(length)}`, { headers: token })
      expect(brief(yield* get(9_000))).toEqual([414, "UrlTooLong"])
      expect((yield* get(8_000)).status).toBe(200)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("is bounded in its body, which is said to whoever is still sending it", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth: ci, maxBodySize: 1_000 }))
      const { hostname, port } = new URL(base)
      /** Sends chunks without saying how many. */
      const chunked = (chunks: number) =>
        Effect.async<number | undefined>((resume) => {
          const headers = { ...token, "content-type": "application/json", "transfer-encoding": "chunked" }
          const path = `/tasks/${id}/cancel`
          const request = nodeRequest({ hostname, port, method: "POST", path, headers, agent: false }, (response) => {
            response.resume()
            resume(Effect.succeed(response.statusCode))
          })
          request.on("error", () => {})
          for (let n = 0; n < chunks; n++) request.write("\"".padEnd(400, " "))
          if (chunks < 4) request.end()
        })
      const said = yield* send(base, "POST", `/tasks/${id}/cancel`, token, " ".repeat(1_001))
      expect(brief(said)).toEqual([413, "BodyTooLarge"])
      expect(said.body.limit).toBe(1_000)
      expect(said.headers["connection"]).toBe("close")
      // This one goes on for ever: it is answered before it ends.
      expect(yield* chunked(4)).toBe(413)
      expect(yield* chunked(1)).toBe(400)
      expect((yield* send(base, "POST", `/tasks/${id}/cancel`, token, " ".repeat(998) + "{}")).status).toBe(404)
      // Nobody unknown gets as far.
      expect((yield* send(base, "POST", `/tasks/${id}/cancel`, {}, " ".repeat(1_001))).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scoped("that does not arrive is answered with 408", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: ci, requestTimeout: "5 seconds" })
      const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array([0x7b])) })
      const fiber = yield* Effect.fork(ask("POST", `/tasks/${id}/cancel`, { headers: token, body }))
      yield* TestClock.adjust("4 seconds")
      expect(yield* Fiber.poll(fiber)).toMatchObject({ _tag: "None" })
      yield* TestClock.adjust("1 seconds")
      expect(brief(yield* Fiber.join(fiber))).toEqual([408, "RequestTimeout"])
    }).pipe(Effect.provide(tasks())))

  it.scoped("that is not answered in time gets 503, and a fault 500, without a word from inside", () =>
    Effect.gen(function*() {
      const { layer, lines } = collectedLogs()
      const backend = wrappedBackend(() => ({
        get: (taskId) => taskId === id ? Effect.never : Effect.die(new Error("a fault with a secret-path"))
      }))
      yield* Effect.gen(function*() {
        const ask = yield* inProcess({ auth: ci })
        const fiber = yield* Effect.fork(ask("GET", `/tasks/${id}`, { headers: token }))
        yield* TestClock.adjust("30 seconds")
        expect(brief(yield* Fiber.join(fiber))).toEqual([503, "AnswerTimeout"])
        const other = id.replace("0189", "0190")
        const { body, status, text } = yield* ask("GET", `/tasks/${other}`, { headers: token })
        expect([status, body._tag]).toEqual([500, "InternalError"])
        expect(text).not.toContain("secret-path")
        expect(lines.filter(({ level }) => level === "Error")).toHaveLength(1)
      }).pipe(Effect.provide(Layer.merge(tasks(backend), layer)))
    }))
})

describe("who asks", () => {
  const failing: Readonly<Record<string, () => Effect.Effect<TaskAuth.TaskUser | null, TaskAuth.TaskAuthUnavailable>>> =
    {
      "fails": () => Effect.fail(new TaskAuth.TaskAuthUnavailable({ cause: new Error("secret-host is down") })),
      "dies": () => Effect.die(new Error("secret-host is down")),
      "throws": () => {
        throw new Error("secret-host is down")
      },
      "never answers": () => Effect.never,
      // safe: what JavaScript lets an application do
      "answers a user without a name": () => Effect.succeed({ access: "operator" } as unknown as TaskAuth.TaskUser),
      "answers an unknown access": () =>
        Effect.succeed({ name: "x", access: "undelete" } as unknown as TaskAuth.TaskUser)
    }

  for (const [what, check] of Object.entries(failing)) {
    it.scoped(`is not let pass when the check ${what}, but answered with 503`, () =>
      Effect.gen(function*() {
        const { layer } = collectedLogs()
        const { taskId } = yield* Orphan.enqueue({ note: "x" })
        for (
          const auth of [
            TaskAuth.make({ authenticate: check }),
            TaskAuth.authorize(check),
            TaskAuth.any(TaskAuth.make({ authenticate: check }), ci),
            TaskAuth.make({ authenticate: () => Effect.succeed(null), login: check })
          ]
        ) {
          const ask = yield* Effect.provide(inProcess({ auth, secretKey }), layer)
          const asked = auth.passwords === null
            ? ask("POST", `/tasks/${taskId}/cancel`, { headers: token })
            : login(ask, "x", "y")
          const fiber = yield* Effect.fork(Effect.provide(asked, layer))
          yield* TestClock.adjust("30 seconds")
          const answer = yield* Fiber.join(fiber)
          expect(answer.status, what).toBe(503)
          expect(answer.headers).not.toHaveProperty("set-cookie")
          expect(answer.text).not.toContain("secret-host")
        }
        expect((yield* (yield* TaskManager).get(taskId)).status).toBe("pending")
      }).pipe(Effect.provide(tasks())))
  }

  it.scoped("is sent to the login of the application when a page asks, and nothing else is", () =>
    Effect.gen(function*() {
      const auth = TaskAuth.authorize(({ headers }) =>
        Effect.succeed(
          headers["x-user"] === "eve" ? { name: "eve", access: "viewer" } : TaskAuth.redirect("/login?next=%2Ftasks")
        )
      )
      const ask = yield* inProcess({ auth })
      const html: Asked = { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } }
      const page = yield* ask("GET", "/tasks", html)
      expect([page.status, page.headers["location"], page.text]).toEqual([302, "/login?next=%2Ftasks", ""])
      expect((yield* ask("GET", "/tasks/nothing/here", html)).status).toBe(302)
      expect((yield* ask("GET", "/tasks")).status).toBe(401)
      expect((yield* ask("GET", "/tasks", { headers: { accept: "application/json" } })).status).toBe(401)
      expect((yield* ask("HEAD", "/tasks", html)).status).toBe(401)
      expect((yield* ask("POST", `/tasks/${id}/cancel`, html)).status).toBe(401)
      expect((yield* ask("GET", "/tasks", { headers: { ...html.headers, "x-user": "eve" } })).status).toBe(200)
      // Whoever else knows the caller comes before that.
      const both = yield* inProcess({ auth: TaskAuth.any(auth, ci, ada), secretKey })
      expect((yield* both("GET", "/tasks", { headers: { ...html.headers, ...token } })).status).toBe(200)
      expect((yield* both("GET", "/tasks", { headers: { ...html.headers, ...basic("ada", "right") } })).status).toBe(
        200
      )
      expect((yield* both("GET", "/tasks", html)).status).toBe(302)
    }).pipe(Effect.provide(tasks())))

  it.scoped("is asked for a password by the browser only when it opens a page", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: ada, secretKey })
      const challenge = (headers: Record<string, string>) =>
        Effect.map(ask("GET", "/tasks", { headers }), ({ headers }) => headers["www-authenticate"])
      expect(yield* challenge({})).toBe("Basic realm=\"tasks\", charset=\"UTF-8\"")
      expect(yield* challenge({ "sec-fetch-mode": "navigate" })).toBeDefined()
      expect(yield* challenge({ "sec-fetch-mode": "cors" })).toBeUndefined()
      expect(yield* challenge({ "x-taskflow": "1" })).toBeUndefined()
    }).pipe(Effect.provide(tasks())))
})

describe("behind the guard", () => {
  const guarded = <E>(
    route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, CurrentUser | HttpServerRequest.HttpServerRequest>,
    auth: TaskAuth.TaskAuth = TaskAuth.open,
    headers: Record<string, string> = token
  ) =>
    Effect.gen(function*() {
      const guard = yield* Guard.make({ auth, secretKey }, { at: "/tasks", shownAt: "/tasks" })
      const request = HttpServerRequest.fromWeb(new Request("http://tasks.localhost/tasks", { headers }))
      // safe: the guard provides the user, which its type does not say
      return yield* (guard.protect(route) as Effect.Effect<HttpServerResponse.HttpServerResponse, E>).pipe(
        Effect.provideService(HttpServerRequest.HttpServerRequest, request)
      )
    })

  it.scoped("a stream goes on after requestTimeout, and says itself how it may be kept", () =>
    Effect.gen(function*() {
      const ticks = Stream.fromSchedule(Schedule.spaced("10 seconds")).pipe(
        Stream.take(30),
        Stream.as(new Uint8Array(1))
      )
      const response = yield* guarded(Effect.succeed(HttpServerResponse.stream(ticks, {
        headers: { "cache-control": "no-store, no-transform", "content-security-policy": "default-src 'self'" }
      })))
      expect(response.headers).toMatchObject({
        "cache-control": "no-store, no-transform",
        "content-security-policy": "default-src 'self'",
        "x-content-type-options": "nosniff"
      })
      const read = response.body._tag === "Stream" ? response.body.stream : Stream.empty
      const fiber = yield* Effect.fork(Stream.runCount(read))
      yield* TestClock.adjust("10 minutes")
      expect(yield* Fiber.join(fiber)).toBe(30)
    }).pipe(Effect.provide(tasks())))

  it.scoped("a permission is asked of the user, and its lack is 403 with its name", () =>
    Effect.gen(function*() {
      for (const access of ["viewer", "operator", [], ["retry", "audit"]] as const) {
        const auth = TaskAuth.bearer({
          tokens: [{ name: "ci", token: Redacted.make("0123456789abcdef"), access }]
        })
        for (const permission of permissions) {
          const result = yield* Effect.either(guarded(
            Effect.map(requires(permission), ({ name }) => HttpServerResponse.text(name)),
            auth
          ))
          const what = `${JSON.stringify(access)} ${permission}`
          if (allowed(access).includes(permission)) expect(result, what).toMatchObject({ right: { status: 200 } })
          else expect(result, what).toMatchObject({ left: { _tag: "TaskForbidden", permission } })
        }
      }
    }).pipe(Effect.provide(tasks())))

  it.scoped("a route for everybody is read without credentials, with the same headers, and cannot be written", () =>
    Effect.gen(function*() {
      const guard = yield* Guard.make({ auth: ada, secretKey }, { at: "/tasks", shownAt: "/tasks" })
      const ask = (method: string, url = "http://tasks.localhost/tasks/auth/login") =>
        Effect.provideService(
          guard.anonymous(Effect.succeed(HttpServerResponse.text("a page"))),
          HttpServerRequest.HttpServerRequest,
          HttpServerRequest.fromWeb(new Request(url, { method }))
        )
      expect(yield* ask("GET")).toMatchObject({ status: 200, headers: { "x-content-type-options": "nosniff" } })
      expect(yield* ask("POST")).toMatchObject({ status: 404, headers: { "x-content-type-options": "nosniff" } })
      expect(yield* ask("GET", `http://tasks.localhost/${"a".repeat(9_000)}`)).toMatchObject({ status: 414 })
    }).pipe(Effect.provide(tasks())))

  it.scoped("the answer to a session that was just renewed carries its cookie, whatever the route", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: ada, secretKey })
      const cookie = cookieOf(yield* login(ask, "ada", "right"))
      yield* TestClock.adjust("7 hours")
      const refused = yield* ask("POST", "/tasks", { ...json({}), headers: { cookie } })
      expect(refused.headers).not.toHaveProperty("set-cookie")
      for (const path of ["/tasks", "/tasks/openapi.json", "/tasks/nothing/here", "/tasks/metrics"]) {
        expect(cookieOf(yield* ask("GET", path, withCookie(cookie))), path).toMatch(/^taskflow=v1\./)
      }
      // But for what a cache between may keep and give to others.
      const cookies = (control: string) =>
        Effect.map(
          guarded(Effect.succeed(HttpServerResponse.empty({ headers: { "cache-control": control } })), ada, { cookie }),
          ({ cookies }) => Object.keys(cookies.cookies)
        )
      expect(yield* cookies("no-store, no-transform")).toEqual(["taskflow"])
      expect(yield* cookies("public, max-age=31536000, immutable")).toEqual([])
    }).pipe(Effect.provide(tasks())))
})
