import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Cookies, FetchHttpClient, HttpApiClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect, Layer, Logger, LogLevel, Redacted, Ref, TestClock } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskApi, TaskAuth, TaskHttp } from "effect-taskflow/http"
import { SqliteBackend } from "effect-taskflow/sqlite"
import * as PasswordHash from "../../src/http/auth/passwordHash.js"
import { TaskBackendError } from "../../src/TaskError.js"
import { collectedLogs, wrappedBackend } from "../support/engine.js"
import { type Asked, cookieOf, inProcess, login, withCookie } from "./inProcess.js"
import { type Answer, basic, Orphan, serve, tasks } from "./support.js"

const secret = (letter: string) => Redacted.make(letter.repeat(32))
const ada = { username: "ada", password: Redacted.make("correct horse") }
const usersOf = (...users: ReadonlyArray<TaskAuth.UserOptions>): TaskHttp.TaskHttpOptions => ({
  auth: TaskAuth.users({ users }),
  secretKey: secret("k")
})
const options = usersOf(ada, { username: "bob", password: Redacted.make("battery staple"), access: "viewer" })

const ours = { "sec-fetch-site": "same-origin", "x-taskflow": "1" }
const status = ({ status }: Answer) => status

describe("login", () => {
  it.scoped("gives a cookie that opens what was closed, and says who one is", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      expect((yield* ask("GET", "/tasks")).status).toBe(401)
      expect((yield* ask("GET", "/tasks/auth/session")).status).toBe(401)
      const answer = yield* login(ask, "bob", "battery staple", { headers: ours })
      const expected = {
        user: "bob",
        access: "viewer",
        permissions: ["arguments", "audit"],
        expiresAt: "1970-01-01T12:00:00.000Z",
        open: false
      }
      expect([answer.status, answer.body]).toEqual([200, expected])
      const cookie = cookieOf(answer)
      expect(cookie).toMatch(/^taskflow=v1\.[\w-]+\.[\w-]{43}$/)
      expect((yield* ask("GET", "/tasks", withCookie(cookie))).status).toBe(200)
      expect((yield* ask("GET", "/tasks/auth/session", withCookie(cookie))).body).toEqual(expected)
    }).pipe(Effect.provide(tasks())))

  it.scoped("answers an unknown user and a wrong password with the same words, and takes nothing but two texts", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const wrong = yield* login(ask, "ada", "wrong")
      const unknown = yield* login(ask, "eve", "correct horse")
      expect([wrong.status, wrong.text]).toEqual([401, unknown.text])
      expect(wrong.body).toEqual({ _tag: "Unauthorized", message: "the username or the password is wrong" })
      expect(wrong.headers).not.toHaveProperty("www-authenticate")
      expect(wrong.headers).not.toHaveProperty("set-cookie")
      const type = { "content-type": "application/json" }
      for (
        const body of [
          "",
          "{",
          "null",
          "[]",
          "{}",
          `{"username":"ada"}`,
          `{"username":"ada","password":7}`,
          `{"username":["ada"],"password":"correct horse"}`
        ]
      ) {
        const answer = yield* ask("POST", "/tasks/auth/login", { body, headers: type })
        expect([answer.status, answer.body._tag], body).toEqual([400, "BodyMalformed"])
        expect(answer.text).not.toContain("ada")
      }
      const form = yield* ask("POST", "/tasks/auth/login", {
        body: "username=ada&password=correct+horse",
        headers: { "content-type": "application/x-www-form-urlencoded" }
      })
      expect([form.status, form.body._tag]).toEqual([415, "UnsupportedMediaType"])
      const large = yield* login(ask, "ada", "x".repeat(20_000))
      expect([large.status, large.body._tag]).toEqual([413, "BodyTooLarge"])
    }).pipe(Effect.provide(tasks())))

  it.scoped("survives any password and any name, hashed or not", () =>
    Effect.gen(function*() {
      const odd = "пароль🔥\u0000 e\u0301"
      const hashed = yield* Effect.promise(() => Effect.runPromise(PasswordHash.make(odd, { N: 4_096, r: 8, p: 1 })))
      const ask = yield* inProcess(
        usersOf({ username: "hash", password: hashed }, { username: "text", password: Redacted.make(odd) })
      )
      for (const name of ["hash", "text"]) {
        expect((yield* login(ask, name, odd)).status, name).toBe(200)
        // The same characters, as another keyboard composes them.
        expect((yield* login(ask, name, odd.normalize("NFC"))).status, name).toBe(200)
      }
      for (
        const name of ["hash", "text", "nobody", "__proto__", "constructor", "\u0000", "🔥", "a".repeat(5_000), ""]
      ) {
        for (const password of ["", "\u0000", "\ud800", "x".repeat(1_025), "é".repeat(600)]) {
          const answer = yield* login(ask, name, password, { address: `10.0.0.${password.length % 200}` })
          expect([401, 429], `${name} ${password.slice(0, 5)}`).toContain(answer.status)
        }
      }
      const million = JSON.stringify({ username: "text", password: "x".repeat(1_000_000) })
      const headers = { "content-type": "application/json" }
      expect((yield* ask("POST", "/tasks/auth/login", { body: million, headers })).status).toBe(413)
    }).pipe(Effect.provide(tasks())))

  it.scoped("is a write: another site cannot make a browser log in or out", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const cookie = cookieOf(yield* login(ask, "ada", "correct horse"))
      const cross = { headers: { "sec-fetch-site": "cross-site", "x-taskflow": "1" } }
      const answer = yield* login(ask, "ada", "correct horse", cross)
      expect([answer.status, answer.body._tag]).toEqual([403, "CrossSiteRequest"])
      const headless = yield* login(ask, "ada", "correct horse", { headers: { origin: "http://tasks.localhost" } })
      expect([headless.status, headless.body._tag]).toEqual([403, "HeaderRequired"])
      const out = yield* ask("POST", "/tasks/auth/logout", withCookie(cookie))
      expect([out.status, out.body._tag]).toEqual([403, "HeaderRequired"])
      const crossOut = yield* ask("POST", "/tasks/auth/logout", withCookie(cookie, cross.headers))
      expect(crossOut.body._tag).toBe("CrossSiteRequest")
      for (const method of ["GET", "HEAD"]) {
        expect((yield* ask(method, "/tasks/auth/logout", withCookie(cookie))).status).toBe(404)
        // The page of the login, which changes nothing.
        const page = yield* ask(method, "/tasks/auth/login", withCookie(cookie))
        expect([page.status, page.headers["set-cookie"]]).toEqual([200, undefined])
      }
      expect((yield* ask("GET", "/tasks", withCookie(cookie))).status).toBe(200)
    }).pipe(Effect.provide(tasks())))

  it.scoped("is not there without passwords", () =>
    Effect.gen(function*() {
      const token = Redacted.make("0123456789abcdef")
      for (const auth of [TaskAuth.open, TaskAuth.bearer({ tokens: [{ name: "ci", token, access: "viewer" }] })]) {
        const ask = yield* inProcess({ auth })
        const answer = yield* login(ask, "ada", "correct horse")
        expect([answer.status, answer.body._tag]).toEqual([404, "NoSuchRoute"])
      }
      const open = yield* (yield* inProcess({ auth: TaskAuth.open }))("GET", "/tasks/auth/session")
      expect(open.body).toMatchObject({ user: "anonymous", access: "operator", expiresAt: null, open: true })
    }).pipe(Effect.provide(tasks())))

  it.scoped("and logout are in the audit trail, with the address and without the password", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const from: Asked = { address: "192.0.2.7" }
      yield* login(ask, "ada", "guess-that-is-wrong", from)
      yield* TestClock.adjust(1)
      yield* login(ask, "x".repeat(150), "guess-that-is-wrong", from)
      yield* TestClock.adjust(1)
      const cookie = cookieOf(yield* login(ask, "ada", "correct horse", from))
      yield* TestClock.adjust(1)
      yield* ask("POST", "/tasks/auth/logout", { ...from, headers: { cookie, ...ours } })
      const { items } = yield* (yield* TaskManager).audit.page({})
      expect(items.map(({ action, outcome, who }) => [who, action, outcome])).toEqual([
        ["ada", "logout", "done"],
        ["ada", "login", "done"],
        ["x".repeat(100), "login.failed", "denied"],
        ["ada", "login.failed", "denied"]
      ])
      expect(items.map(({ parameters }) => JSON.parse(parameters))).toEqual(items.map(() => ({ address: "192.0.2.7" })))
      expect(items[0]!.target).toBe(items[1]!.target)
      expect(JSON.stringify(items)).not.toMatch(/correct horse|guess-that-is-wrong/)
    }).pipe(Effect.provide(tasks())))
})

describe("a typed client", () => {
  it.scopedLive("logs in, asks who it is and logs out, and fails with what the server says", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(options))
      const cookies = yield* Ref.make(Cookies.empty)
      const client = yield* HttpApiClient.make(TaskApi.make(), {
        baseUrl: base,
        transformClient: (client) =>
          HttpClient.mapRequest(
            HttpClient.withCookiesRef(client, cookies),
            HttpClientRequest.setHeader("x-taskflow", "1")
          )
      })
      const wrong = yield* Effect.flip(client.auth.login({ payload: { username: "ada", password: "wrong" } }))
      expect(wrong).toMatchObject({ _tag: "Unauthorized", message: "the username or the password is wrong" })
      const ada = yield* client.auth.login({ payload: { username: "ada", password: "correct horse" } })
      expect(ada).toMatchObject({ user: "ada", access: "operator", open: false, expiresAt: expect.any(String) })
      expect(yield* client.auth.session()).toEqual(ada)
      yield* client.auth.logout()
      expect(yield* Effect.flip(client.auth.session())).toMatchObject({ _tag: "Unauthorized" })
      const guess = client.auth.login({ payload: { username: "eve", password: "wrong" } })
      for (let times = 0; times < 5; times++) yield* Effect.flip(guess)
      expect(yield* Effect.flip(guess)).toMatchObject({ _tag: "TooManyAttempts", retryAfter: 5 })
    }).pipe(Effect.provide(Layer.merge(tasks(), FetchHttpClient.layer))))
})

describe("the cookie", () => {
  const attributes = (answer: Answer) => String(answer.headers["set-cookie"]).split("; ").slice(1).sort()

  it.scoped("is HttpOnly and SameSite=Lax, below the prefix on HTTP, and __Host- on HTTPS", () =>
    Effect.gen(function*() {
      const plain = ["HttpOnly", "Max-Age=43200", "Path=/tasks", "SameSite=Lax"]
      const secure = ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=Lax", "Secure"]
      const forwarded = { "x-forwarded-proto": "https" }
      const cases: ReadonlyArray<readonly [Partial<TaskHttp.TaskHttpOptions>, Asked, ReadonlyArray<string>]> = [
        [{}, {}, plain],
        [{}, { headers: forwarded }, plain],
        [{}, { at: "https://tasks.localhost" }, secure],
        [{ trustProxy: true }, { headers: forwarded }, secure],
        [{ trustProxy: true }, { headers: { "x-forwarded-proto": "https, http" } }, plain],
        [{ publicOrigin: "https://tasks.localhost" }, {}, secure],
        [{ publicOrigin: "http://tasks.localhost" }, { at: "https://tasks.localhost" }, plain],
        [{ secureCookie: true }, {}, secure],
        [{ secureCookie: false }, { at: "https://tasks.localhost" }, plain],
        [{ publicPrefix: "/admin/tasks" }, {}, plain.map((one) => one.replace("/tasks", "/admin/tasks"))]
      ]
      for (const [more, asked, expected] of cases) {
        const ask = yield* inProcess({ ...options, ...more })
        const answer = yield* login(ask, "ada", "correct horse", asked)
        const what = JSON.stringify([more, asked])
        expect(attributes(answer), what).toEqual(expected)
        expect(cookieOf(answer).startsWith("__Host-taskflow"), what).toBe(expected === secure)
        const sent = { ...asked, headers: { ...asked.headers, cookie: cookieOf(answer) } }
        expect((yield* ask("GET", "/tasks", sent)).status, what).toBe(200)
      }
    }).pipe(Effect.provide(tasks())))

  it.scoped("of HTTP does not count on HTTPS, where anybody on the way could have set it", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ ...options, secureCookie: "auto" })
      const cookie = cookieOf(yield* login(ask, "ada", "correct horse"))
      expect((yield* ask("GET", "/tasks", { ...withCookie(cookie), at: "https://tasks.localhost" })).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scoped("of one mount is neither the name nor the key of another on the same host", () =>
    Effect.gen(function*() {
      const one = yield* inProcess(options)
      const cookie = cookieOf(yield* login(one, "ada", "correct horse"))
      const two = yield* inProcess({ ...options, prefix: "/ops/tasks" })
      const body = JSON.stringify({ username: "ada", password: "correct horse" })
      const other = cookieOf(
        yield* two("POST", "/ops/tasks/auth/login", { body, headers: { "content-type": "application/json" } })
      )
      const [name, token] = cookie.split("=")
      const [otherName] = other.split("=")
      expect(otherName).not.toBe(name)
      expect((yield* two("GET", "/ops/tasks", withCookie(other))).status).toBe(200)
      expect((yield* two("GET", "/ops/tasks", withCookie(`${otherName}=${token}`))).status).toBe(401)
      // A browser sends both below /ops/tasks when they are on Path=/.
      expect((yield* two("GET", "/ops/tasks", withCookie(`${cookie}; ${other}`))).status).toBe(200)
    }).pipe(Effect.provide(tasks())))
})

describe("a session", () => {
  it.scoped("ends 12 hours after it was used last, and is renewed past the half of that", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const first = yield* login(ask, "ada", "correct horse")
      const use = (cookie: string) => ask("GET", "/tasks/auth/session", withCookie(cookie))
      yield* TestClock.adjust("5 hours")
      const early = yield* use(cookieOf(first))
      expect(early.headers).not.toHaveProperty("set-cookie")
      expect(early.body.expiresAt).toBe("1970-01-01T12:00:00.000Z")
      yield* TestClock.adjust("2 hours")
      const renewed = yield* use(cookieOf(first))
      expect(renewed.body.expiresAt).toBe("1970-01-01T19:00:00.000Z")
      yield* TestClock.adjust("6 hours")
      expect((yield* use(cookieOf(first))).status).toBe(401)
      expect((yield* use(cookieOf(renewed))).status).toBe(200)
      yield* TestClock.adjust("6 hours")
      expect((yield* use(cookieOf(renewed))).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scoped("ends 7 days after the login, however much it is used", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ ...options, sessionTtl: "1 day" })
      let cookie = cookieOf(yield* login(ask, "ada", "correct horse"))
      for (let hours = 20; hours < 7 * 24; hours += 20) {
        yield* TestClock.adjust("20 hours")
        const answer = yield* ask("GET", "/tasks/auth/session", withCookie(cookie))
        expect(answer.status, `${hours}`).toBe(200)
        if (answer.headers["set-cookie"] !== undefined) cookie = cookieOf(answer)
      }
      yield* TestClock.adjust("7 hours")
      const last = yield* ask("GET", "/tasks/auth/session", withCookie(cookie))
      expect(last.body.expiresAt).toBe("1970-01-08T00:00:00.000Z")
      expect(last.headers).not.toHaveProperty("set-cookie")
      yield* TestClock.adjust("1 hour")
      expect((yield* ask("GET", "/tasks", withCookie(cookie))).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scoped("ends with logout, also in its renewed form, and logout may be repeated", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const first = cookieOf(yield* login(ask, "ada", "correct horse"))
      const other = cookieOf(yield* login(ask, "ada", "correct horse"))
      yield* TestClock.adjust("7 hours")
      const second = cookieOf(yield* ask("GET", "/tasks", withCookie(first)))
      expect(second).not.toBe(first)
      const out = yield* ask("POST", "/tasks/auth/logout", withCookie(second, ours))
      expect([out.status, out.text]).toEqual([204, ""])
      expect(out.headers["set-cookie"]).toBe("taskflow=; Max-Age=0; Path=/tasks; HttpOnly; SameSite=Lax")
      for (const cookie of [first, second]) {
        expect((yield* ask("GET", "/tasks", withCookie(cookie))).status).toBe(401)
        expect((yield* ask("POST", "/tasks/auth/logout", withCookie(cookie, ours))).status).toBe(204)
      }
      expect((yield* ask("POST", "/tasks/auth/logout")).status).toBe(204)
      expect((yield* ask("GET", "/tasks", withCookie(other))).status).toBe(200)
      const { items } = yield* (yield* TaskManager).audit.page({ action: "logout" })
      expect(items).toHaveLength(1)
    }).pipe(Effect.provide(tasks())))

  it.scoped("that is there at a login ends with it", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const first = cookieOf(yield* login(ask, "bob", "battery staple"))
      const second = cookieOf(yield* login(ask, "ada", "correct horse", { headers: { cookie: first, ...ours } }))
      expect((yield* ask("GET", "/tasks", withCookie(first))).status).toBe(401)
      expect((yield* ask("GET", "/tasks/auth/session", withCookie(second))).body.user).toBe("ada")
    }).pipe(Effect.provide(tasks())))

  it.scoped("ends with another password, other access or a removed user, and not with other users", () =>
    Effect.gen(function*() {
      const cookie = cookieOf(yield* login(yield* inProcess(options), "ada", "correct horse"))
      const password = Redacted.make("correct horse")
      const cases: ReadonlyArray<readonly [TaskHttp.TaskHttpOptions, number]> = [
        [usersOf(ada), 200],
        [usersOf({ ...ada, access: "operator" }), 200],
        [usersOf({ username: "ada", password: Redacted.make("another horse") }), 401],
        [usersOf({ ...ada, access: "viewer" }), 401],
        [usersOf({ ...ada, access: ["retry"] }), 401],
        [usersOf({ username: "eve", password }), 401],
        [
          { ...options, auth: TaskAuth.any(TaskAuth.users({ users: [{ username: "eve", password }] }), options.auth) },
          200
        ],
        [{ ...options, secretKey: secret("x") }, 401]
      ]
      for (const [index, [changed, expected]] of cases.entries()) {
        const ask = yield* inProcess(changed)
        expect((yield* ask("GET", "/tasks", withCookie(cookie))).status, `case ${index}`).toBe(expected)
      }
    }).pipe(Effect.provide(tasks())))

  it.scoped("is judged by the check that began it, and no other", () =>
    Effect.gen(function*() {
      // Without `find` this one keeps every session that it began.
      const own = TaskAuth.make({
        authenticate: () => Effect.succeed(null),
        login: ({ password }) =>
          Effect.succeed(Redacted.value(password) === "apple" ? { name: "ada", access: "operator" as const } : null)
      })
      const secretKey = secret("k")
      const before = yield* inProcess({ auth: TaskAuth.any(own, options.auth), secretKey })
      const ofUsers = cookieOf(yield* login(before, "ada", "correct horse"))
      const ofOwn = cookieOf(yield* login(before, "ada", "apple"))
      const changed = usersOf({ username: "ada", password: Redacted.make("another horse") })
      const after = yield* inProcess({ auth: TaskAuth.any(own, changed.auth), secretKey })
      expect((yield* after("GET", "/tasks", withCookie(ofUsers))).status).toBe(401)
      expect((yield* after("GET", "/tasks", withCookie(ofOwn))).status).toBe(200)
      // HTTP Basic is for those that say so.
      expect((yield* after("GET", "/tasks", { headers: basic("ada", "another horse") })).status).toBe(200)
      expect((yield* after("GET", "/tasks", { headers: basic("ada", "apple") })).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scoped("goes on while the secret is replaced, and moves to the new one", () =>
    Effect.gen(function*() {
      const before = cookieOf(yield* login(yield* inProcess(options), "ada", "correct horse"))
      const both = yield* inProcess({ ...options, secretKey: [secret("n"), secret("k")] })
      const moved = cookieOf(yield* both("GET", "/tasks", withCookie(before)))
      expect(moved).toMatch(/^taskflow=v1/)
      expect((yield* both("GET", "/tasks", withCookie(moved))).status).toBe(200)
      const after = yield* inProcess({ ...options, secretKey: secret("n") })
      expect((yield* after("GET", "/tasks", withCookie(moved))).status).toBe(200)
      expect((yield* after("GET", "/tasks", withCookie(before))).status).toBe(401)
      const changed = yield* inProcess({
        ...usersOf({ username: "ada", password: Redacted.make("another horse") }),
        secretKey: secret("n")
      })
      expect((yield* changed("GET", "/tasks", withCookie(moved))).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scoped("holds for one process without a secret, which is said once", () =>
    Effect.gen(function*() {
      const { layer, lines } = collectedLogs()
      const random = { auth: options.auth }
      const ask = yield* Effect.provide(inProcess(random), layer)
      const cookie = cookieOf(yield* login(ask, "ada", "correct horse"))
      expect((yield* ask("GET", "/tasks", withCookie(cookie))).status).toBe(200)
      expect((yield* (yield* inProcess(random))("GET", "/tasks", withCookie(cookie))).status).toBe(401)
      expect(lines.filter(({ message }) => message.includes("secretKey"))).toHaveLength(1)
    }).pipe(Effect.provide(tasks())))

  it.scoped("of a login of one's own follows `find`, and without it keeps what the login said", () =>
    Effect.gen(function*() {
      const people = new Map<string, TaskAuth.TaskUser>([["eve", { name: "eve", access: ["retry"] }]])
      const known = (name: string) => Effect.sync(() => people.get(name) ?? null)
      const own = {
        authenticate: () => Effect.succeed(null),
        login: ({ password, username }: TaskAuth.Credentials) =>
          Redacted.value(password) === "apple" ? known(username) : Effect.succeed(null)
      }
      const secretKey = secret("k")
      const asks = yield* Effect.all([
        inProcess({ auth: TaskAuth.make({ ...own, find: known }), secretKey }),
        inProcess({ auth: TaskAuth.make(own), secretKey })
      ])
      const sessions = yield* Effect.forEach(asks, (ask) => Effect.map(login(ask, "eve", "apple"), cookieOf))
      const statuses = Effect.forEach(
        asks,
        (ask, index) => Effect.map(ask("GET", "/tasks", withCookie(sessions[index]!)), status)
      )
      expect(yield* statuses).toEqual([200, 200])
      people.set("eve", { name: "eve", access: "viewer" })
      expect(yield* statuses).toEqual([401, 200])
      people.delete("eve")
      expect(yield* statuses).toEqual([401, 200])
      // Passwords of HTTP Basic are for `authenticate` to read here.
      expect((yield* asks[0]("GET", "/tasks", { headers: basic("eve", "apple") })).status).toBe(401)
    }).pipe(Effect.provide(tasks())))
})

describe("revocation", () => {
  const onFile = (filename: string) => Layer.fresh(tasks(Layer.orDie(SqliteBackend.layer({ filename }))))
  const folder = Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-sessions-"))),
    (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
  )

  it.scopedLive("reaches other instances and outlives a restart", () =>
    Effect.gen(function*() {
      const filename = join(yield* folder, "tasks.db")
      const instance = Effect.flatMap(Layer.build(onFile(filename)), (context) =>
        Effect.provide(inProcess(options), context))
      const one = yield* instance
      const two = yield* instance
      const cookie = cookieOf(yield* login(one, "ada", "correct horse"))
      expect((yield* two("GET", "/tasks", withCookie(cookie))).status).toBe(200)
      expect((yield* two("POST", "/tasks/auth/logout", withCookie(cookie, ours))).status).toBe(204)
      for (const ask of [one, two, yield* instance]) {
        expect((yield* ask("GET", "/tasks", withCookie(cookie))).status).toBe(401)
      }
    }))

  it.scoped("that cannot be looked up lets nobody pass", () =>
    Effect.gen(function*() {
      const line = { up: true }
      const backend = wrappedBackend(({ audit }) => {
        const failing = <A, E>(effect: Effect.Effect<A, E>) =>
          Effect.suspend((): Effect.Effect<A, E | TaskBackendError> =>
            line.up
              ? effect
              : Effect.fail(new TaskBackendError({ method: "audit", cause: new Error("secret-host down") }))
          )
        return {
          audit: { ...audit, page: (query) => failing(audit.page(query)), append: (all) => failing(audit.append(all)) }
        }
      })
      const { layer, lines } = collectedLogs()
      yield* Effect.gen(function*() {
        const ask = yield* inProcess(options)
        const cookie = cookieOf(yield* login(ask, "ada", "correct horse"))
        line.up = false
        const { taskId } = yield* Orphan.enqueue({ note: "x" })
        const answers = [
          yield* ask("GET", "/tasks", withCookie(cookie)),
          yield* ask("POST", `/tasks/${taskId}/cancel`, withCookie(cookie, ours)),
          yield* ask("POST", "/tasks/auth/logout", withCookie(cookie, ours)),
          yield* login(ask, "ada", "correct horse"),
          yield* login(ask, "ada", "wrong")
        ]
        for (const [index, { body, headers, status, text }] of answers.entries()) {
          expect([status, body._tag], `${index}`).toEqual([503, "AuthUnavailable"])
          expect(headers, `${index}`).not.toHaveProperty("set-cookie")
          expect(text).not.toContain("secret-host")
        }
        expect((yield* (yield* TaskManager).get(taskId)).status).toBe("pending")
        // Programs carry no session, so nothing has to be looked up.
        expect((yield* ask("GET", "/tasks", { headers: basic("ada", "correct horse") })).status).toBe(200)
        line.up = true
        expect((yield* ask("GET", "/tasks", withCookie(cookie))).status).toBe(200)
        expect(lines.filter(({ level }) => level === "Error").length).toBeGreaterThanOrEqual(answers.length)
      }).pipe(Effect.provide(Layer.merge(tasks(backend), layer)))
    }))

  it.scoped("is asked of the trail for each request, and remembered only when found", () =>
    Effect.gen(function*() {
      const asked: Array<unknown> = []
      const backend = wrappedBackend(({ audit }) => ({
        audit: { ...audit, page: (query) => Effect.zipRight(Effect.sync(() => asked.push(query)), audit.page(query)) }
      }))
      yield* Effect.gen(function*() {
        const ask = yield* inProcess(options)
        const cookie = cookieOf(yield* login(ask, "ada", "correct horse"))
        yield* ask("GET", "/tasks", withCookie(cookie))
        yield* ask("GET", "/tasks", withCookie(cookie))
        expect(asked).toEqual([
          { action: "logout", target: expect.any(String), limit: 1 },
          { action: "logout", target: expect.any(String), limit: 1 }
        ])
        yield* ask("POST", "/tasks/auth/logout", withCookie(cookie, ours))
        const before = asked.length
        for (let times = 0; times < 3; times++) yield* ask("GET", "/tasks", withCookie(cookie))
        expect(asked).toHaveLength(before)
        // What no key of ours signed is not looked up at all.
        yield* ask("GET", "/tasks", withCookie("taskflow=v1.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))
        expect(asked).toHaveLength(before)
      }).pipe(Effect.provide(tasks(backend)))
    }))
})

describe("secrets", () => {
  it.scoped("are in no answer and in no log", () =>
    Effect.gen(function*() {
      const { layer, lines } = collectedLogs()
      const hashed = yield* Effect.promise(() =>
        Effect.runPromise(PasswordHash.make("hashed-secret", { N: 4_096, r: 8, p: 1 }))
      )
      const seen: Array<string> = []
      yield* Effect.gen(function*() {
        const auth = TaskAuth.any(
          TaskAuth.users({
            users: [{ username: "ada", password: Redacted.make("plain-secret") }, { username: "h", password: hashed }]
          }),
          TaskAuth.bearer({ tokens: [{ name: "ci", token: Redacted.make("token-secret-0123"), access: "viewer" }] })
        )
        const settings: TaskHttp.TaskHttpOptions = { auth, secretKey: Redacted.make("signing-secret-".repeat(3)) }
        seen.push(JSON.stringify(settings), String(settings.auth))
        const ask = yield* inProcess(settings)
        const cookie = cookieOf(yield* login(ask, "ada", "plain-secret"))
        const answers = [
          yield* login(ask, "h", "hashed-secret"),
          yield* login(ask, "ada", "wrong-secret"),
          yield* ask("GET", "/tasks", withCookie(cookie)),
          yield* ask("GET", "/tasks/auth/session", { headers: { authorization: "Bearer token-secret-0123" } }),
          yield* ask("GET", "/tasks", { headers: basic("h", "hashed-secret") }),
          yield* ask("GET", "/tasks", { headers: basic("ada", "wrong-secret") }),
          yield* ask("GET", "/tasks", { headers: { authorization: "Bearer wrong-secret-01234" } }),
          yield* ask("GET", "/tasks/openapi.json", withCookie(cookie))
        ]
        seen.push(...answers.map((answer) => JSON.stringify(answer)))
        seen.push(...answers.map(cookieOf).map((one) => Buffer.from(one.split(".")[1] ?? "", "base64url").toString()))
        expect(answers.map(status)).toEqual([200, 401, 200, 200, 200, 401, 401, 200])
        seen.push(JSON.stringify((yield* (yield* TaskManager).audit.page({})).items))
        // Says something in the log.
        yield* inProcess({ auth })
      }).pipe(Effect.provide(tasks()), Effect.provide(Layer.merge(layer, Logger.minimumLogLevel(LogLevel.All))))
      seen.push(JSON.stringify(lines))
      expect(lines.length).toBeGreaterThan(0)
      expect(seen.filter((text) => /-secret|scrypt\$/.test(text))).toEqual([])
    }))
})

describe("options", () => {
  const building = (more: Partial<TaskHttp.TaskHttpOptions>) =>
    inProcess({ ...options, ...more }).pipe(
      Effect.catchAllDefect((defect) => Effect.succeed(String((defect as Error).message)))
    )

  it.scoped("that would not be safe fail the build by name", () =>
    Effect.gen(function*() {
      const short = Redacted.make("short-secret")
      const cases: ReadonlyArray<readonly [Partial<TaskHttp.TaskHttpOptions>, string]> = [
        [{ secretKey: short }, "secretKey is shorter"],
        [{ secretKey: [secret("k"), short] }, "secretKey[1] is shorter"],
        [{ secretKey: [] }, "secretKey is an empty list"],
        [{ sessionTtl: 0 }, "sessionTtl"],
        [{ sessionTtl: "8 days" }, "sessionTtl"],
        [{ sessionTtl: Duration.infinity }, "sessionTtl"],
        [{ publicOrigin: "tasks.localhost" }, "publicOrigin"],
        [{ publicOrigin: "https://tasks.localhost/path" }, "publicOrigin"],
        [{ publicOrigin: "javascript:alert(1)" }, "publicOrigin"],
        [{ publicPrefix: "/a b" }, "publicPrefix"],
        [{ publicPrefix: "/a;domain=x" }, "publicPrefix"],
        [{ trustProxy: -1 }, "trustProxy"],
        [{ maxBodySize: 0 }, "maxBodySize"],
        [{ requestTimeout: 0 }, "requestTimeout"]
      ]
      for (const [more, name] of cases) {
        const built = yield* building(more)
        expect(built, name).toContain(`TaskHttp: ${name}`)
        expect(built).not.toContain("short-secret")
      }
    }).pipe(Effect.provide(tasks())))
})
