import { inspect } from "node:util"
import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpLayerRouter,
  HttpServerResponse
} from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Layer, Redacted, Schema } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskApi, TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import * as PasswordHash from "../../src/http/auth/passwordHash.js"
import * as Passwords from "../../src/http/auth/passwords.js"
import { inProcess } from "./inProcess.js"
import { basic, Fails, Orphan, send, serve, serveApp, tasks } from "./support.js"

const auth = TaskAuth.basic({ username: "ada", password: Redacted.make("pässwörd:with:colons") })
const good = basic("ada", "pässwörd:with:colons")
const id = "01890a5d-ac96-774b-bcce-b302099a8057"

/** Every route there is: what the API declares, and what is added beside it. */
const allRoutes = () => {
  const found: Array<readonly [method: string, path: string]> = [["GET", "/tasks/openapi.json"]]
  const reflected = {
    onGroup: () => {},
    onEndpoint: ({ endpoint }: { readonly endpoint: { readonly method: string; readonly path: string } }) => {
      found.push([endpoint.method, endpoint.path.replace(/:\w+/, id)])
    }
  }
  HttpApi.reflect(TaskApi.make("/tasks"), reflected)
  // These two ask for no credentials: one brings them, and the other only takes away.
  return found.filter(([method, path]) => !(method === "POST" && /\/auth\/log(in|out)$/.test(path)))
}

describe("the guard", () => {
  it.scopedLive("stands before every route and every method, with and without wrong credentials", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth }))
      const routes = allRoutes()
      expect(routes.length).toBeGreaterThanOrEqual(37)
      for (const [method, path] of routes) {
        for (const headers of [{}, basic("ada", "wrong"), basic("", "")]) {
          const { body, headers: sent, status } = yield* send(base, method, path, headers)
          expect(status, `${method} ${path}`).toBe(401)
          expect(body).toEqual({ _tag: "Unauthorized", message: expect.any(String) })
          expect(sent["www-authenticate"]).toBe("Basic realm=\"tasks\", charset=\"UTF-8\"")
          expect(sent["cache-control"]).toBe("no-store")
        }
        // A stream would go on: asked for what does not exist it ends.
        const ends = path === "/tasks/stream" ? `${path}?topics=none` : path
        const passed = yield* send(base, method, ends, good)
        expect([200, 400, 404, 409], `${method} ${path}`).toContain(passed.status)
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("cannot be walked around by another spelling of the path, another method or an unknown path", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth }))
      const tricks: Array<readonly [string, string]> = [
        ["HEAD", "/tasks"],
        ["GET", "/tasks/"],
        ["GET", "/%74asks"],
        ["GET", "/%74asks/metrics"],
        ["GET", "/tasks/%6detrics"],
        ["GET", `/tasks/${id}/`],
        ["GET", "/tasks?x=1"],
        ["GET", "/tasks/a/b/c"],
        ["DELETE", `/tasks/${id}`],
        ["PUT", "/tasks"],
        ["GET", `/tasks/${"a".repeat(500)}`]
      ]
      for (const [method, path] of tricks) {
        const { status } = yield* send(base, method, path)
        expect(status, `${method} ${path}`).toBe(401)
      }
      // Some of these the router takes for ours, some for nobody's: none gets in.
      for (
        const path of ["//tasks", "//tasks//metrics", "/TASKS", "/tasks%2Fmetrics", "/x/../tasks/metrics", "/tasksx"]
      ) {
        const { body, status, text } = yield* send(base, "GET", path)
        expect(status === 401 ? body._tag : `${status} ${text}`, path).toMatch(/^(Unauthorized|404 )$/)
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("survives any Authorization header with 401", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth }))
      const encode = (bytes: string | Uint8Array) => Buffer.from(bytes).toString("base64")
      const hostile = [
        "",
        "Basic",
        "Basic ",
        "Basic \t",
        "Basic ====",
        "Basic %%%%",
        "Basic YWRh", // "ada", no colon
        "Basic YWRhOg", // not padded
        "Basic not base64 at all",
        `Basic ${encode(new Uint8Array([0xff, 0xfe, 0x00, 0x3a, 0x80]))}`,
        `Basic ${encode("ada:\u0000")}`,
        `Basic ${encode("ада:пароль🔥")}`,
        `Basic ${encode("ada:pässwörd:with:colons ")}`,
        `Basic ${encode("ADA:pässwörd:with:colons")}`,
        `Basic ${encode(Buffer.from("ada:pässwörd:with:colons", "latin1"))}`,
        `Basic ${encode("a".repeat(9_000))}`,
        "Basic caf\u00e9",
        "Bearer abc",
        `Bearer ${encode("ada:pässwörd:with:colons")}`,
        `Basic${encode("ada:pässwörd:with:colons")}`
      ]
      for (const authorization of hostile) {
        const { body, status } = yield* send(base, "GET", "/tasks", { authorization })
        expect(status, authorization).toBe(401)
        expect(body._tag).toBe("Unauthorized")
      }
      for (const scheme of ["Basic", "basic", "BASIC"]) {
        const authorization = good.authorization!.replace("Basic", scheme)
        expect((yield* send(base, "GET", "/tasks", { authorization })).status, scheme).toBe(200)
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("does not stand before the application's own routes, and they do not open ours", () =>
    Effect.gen(function*() {
      const own = HttpLayerRouter.addAll([
        HttpLayerRouter.route("GET", "/", HttpServerResponse.text("home")),
        HttpLayerRouter.route("GET", "/tasks/mine", HttpServerResponse.text("mine"))
      ])
      const base = yield* serve(Layer.mergeAll(own, TaskHttp.layer({ auth })))
      expect((yield* send(base, "GET", "/")).text).toBe("home")
      expect((yield* send(base, "GET", "/tasks/mine")).text).toBe("mine")
      expect((yield* send(base, "GET", "/nowhere")).status).toBe(404)
      expect((yield* send(base, "GET", "/tasks")).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("is not left out where the application serves an HttpApi of its own from the same build", () =>
    Effect.gen(function*() {
      const api = HttpApi.make("app").add(
        HttpApiGroup.make("tasks").add(HttpApiEndpoint.get("list", "/app").addSuccess(Schema.String))
      )
      const implemented = HttpApiBuilder.api(api).pipe(
        Layer.provide(HttpApiBuilder.group(api, "tasks", (group) => group.handle("list", () => Effect.succeed("app"))))
      )
      const routes = Layer.provide(TaskHttp.layer({ auth }), HttpLayerRouter.layer)
      const base = yield* serveApp(Layer.provide(HttpApiBuilder.serve(), Layer.merge(implemented, routes)))
      expect((yield* send(base, "GET", "/app")).status).toBe(200)
      expect((yield* send(base, "GET", "/tasks")).status).toBe(404)
      expect((yield* send(base, "GET", "/tasks/metrics")).status).toBe(404)
    }).pipe(Effect.provide(tasks())))
})

describe("writes", () => {
  const cases: Array<readonly [name: string, headers: (base: string) => Record<string, string>, allowed: boolean]> = [
    ["no header (curl)", () => ({}), true],
    ["same-origin", () => ({ "sec-fetch-site": "same-origin" }), true],
    ["none (address bar)", () => ({ "sec-fetch-site": "none" }), true],
    ["same-site", () => ({ "sec-fetch-site": "same-site" }), false],
    ["cross-site", () => ({ "sec-fetch-site": "cross-site" }), false],
    ["cross-site with our origin", (base) => ({ "sec-fetch-site": "cross-site", origin: base }), false],
    ["nonsense in sec-fetch-site", () => ({ "sec-fetch-site": "😈" }), false],
    ["our origin", (base) => ({ origin: base }), true],
    ["our origin in capitals", (base) => ({ origin: base.toUpperCase() }), true],
    ["another origin", () => ({ origin: "https://evil.example" }), false],
    ["another port", () => ({ origin: "http://127.0.0.1:1" }), false],
    ["an opaque origin", () => ({ origin: "null" }), false],
    ["an origin that is none", () => ({ origin: "%%%" }), false],
    ["default port left out", () => ({ origin: "https://tasks.localhost", host: "tasks.localhost:443" }), true],
    ["a host that is none", () => ({ origin: "https://tasks.localhost", host: "[" }), false]
  ]

  it.scopedLive("from pages of another site are refused before anything happens", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth: TaskAuth.open }))
      const manager = yield* TaskManager
      for (const [name, headers, allowed] of cases) {
        const { taskId } = yield* Orphan.enqueue({ note: name })
        const sent: Record<string, string> = { ...headers(base), "x-taskflow": "1" }
        if (sent["sec-fetch-site"] === "😈") sent["sec-fetch-site"] = Buffer.from("😈").toString("latin1")
        const cancel = yield* send(base, "POST", `/tasks/${taskId}/cancel`, sent)
        expect(cancel.status, name).toBe(allowed ? 200 : 403)
        if (!allowed) expect(cancel.body).toEqual({ _tag: "CrossSiteRequest", message: expect.any(String) })
        expect((yield* manager.get(taskId)).status, name).toBe(allowed ? "cancelled" : "pending")
        // An open server does not read to names that are none either.
        const reads = name === "a host that is none" ? 403 : 200
        expect((yield* send(base, "GET", "/tasks", sent)).status, `GET ${name}`).toBe(reads)
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("need credentials first and the right site second", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth }))
      const { taskId } = yield* Fails.enqueue()
      yield* TaskflowTest.awaitStatus(taskId, "failed")
      const evil = { "sec-fetch-site": "cross-site" }
      expect((yield* send(base, "POST", `/tasks/${taskId}/retry`, evil)).status).toBe(401)
      expect((yield* send(base, "POST", `/tasks/${taskId}/retry`, { ...good, ...evil })).status).toBe(403)
      expect((yield* send(base, "POST", `/tasks/${taskId}/retry`, good)).status).toBe(200)
    }).pipe(Effect.provide(tasks())))
})

describe("TaskAuth.basic", () => {
  it("refuses settings that would let anybody in", () => {
    const make = (username: string, password: string) => () =>
      TaskAuth.basic({ username, password: Redacted.make(password) })
    expect(make("", "x")).toThrow("TaskAuth.basic: username")
    expect(make("a:b", "x")).toThrow("TaskAuth.basic: username")
    expect(make("a", "")).toThrow("TaskAuth.basic: password")
    expect(make("a", " ")).not.toThrow()
  })

  it("does not show the password when printed", () => {
    expect(JSON.stringify(auth)).not.toContain("wörd")
    expect(inspect(auth, { depth: 10, showHidden: true })).not.toContain("wörd")
  })
})

describe("TaskAuth.users", () => {
  const good = `scrypt$4096$8$1$${"A".repeat(22)}$${"A".repeat(43)}` as const

  it("fails for what would be unsafe or never work, by the name of the option and without its secret", () => {
    const user = (more: object) => ({ username: "ada", password: Redacted.make("secret"), ...more })
    const cases: ReadonlyArray<readonly [ReadonlyArray<object>, string]> = [
      [[], "users is empty"],
      [[user({}), user({})], "users[1].username is there twice: \"ada\""],
      [[user({ username: "" })], "users[0].username"],
      [[user({}), user({ username: "a:b" })], "users[1].username"],
      [[user({ username: "a\nb" })], "users[0].username"],
      [[user({ username: "a".repeat(201) })], "users[0].username"],
      [[user({ username: undefined })], "users[0].username"],
      [[user({ password: Redacted.make("") })], "users[0].password is empty"],
      [[user({ password: undefined })], "users[0].password is empty"],
      [[user({ password: "secret" })], "users[0].password is neither a hash nor Redacted"],
      [[user({ password: Redacted.make("secret".repeat(200)) })], "users[0].password is longer"],
      [
        [user({ password: Redacted.make("secret\ud800") })],
        "users[0].password is longer than 1024 bytes or no Unicode"
      ],
      [[user({ password: "scrypt$secret" })], "users[0].password is no hash"],
      [[user({ password: Redacted.make("scrypt$secret") })], "users[0].password is no hash"],
      [[user({ access: "admin" })], "users[0].access"],
      [[user({ access: ["retry", "undelete"] })], "users[0].access"]
    ]
    for (const [users, message] of cases) {
      // safe: what JavaScript lets a caller give
      const make = () => TaskAuth.users({ users: users as ReadonlyArray<TaskAuth.UserOptions> })
      expect(make, message).toThrow(`TaskAuth.users: ${message}`)
      expect(make).not.toThrow(/secret/)
    }
  })

  it("reads a hash only if its cost is bounded, whatever its text says", () => {
    const parse = (hash: string) => Either.isRight(PasswordHash.parse(hash))
    const of = (N: string | number, r: string | number, p: string | number) =>
      `scrypt$${N}$${r}$${p}$${"A".repeat(22)}$${"A".repeat(43)}`
    for (
      const [N, r, p] of [[4_096, 8, 1], [32_768, 8, 3], [131_072, 8, 1], [16_384, 8, 5], [262_144, 8, 1]] as const
    ) {
      expect(parse(of(N, r, p)), `${N} ${r} ${p}`).toBe(true)
    }
    for (
      const [N, r, p] of [
        [2, 8, 1],
        [2_048, 8, 1],
        [5_000, 8, 1],
        [524_288, 8, 1],
        [9_999_999, 8, 1],
        [262_144, 16, 1],
        [262_144, 8, 16],
        [4_096, 0, 1],
        [4_096, 33, 1],
        [4_096, 8, 0],
        [4_096, 8, 17],
        ["1e9", 8, 1],
        ["-4096", 8, 1],
        ["99999999999999999999", 8, 1],
        ["", 8, 1]
      ] as const
    ) {
      expect(parse(of(N, r, p)), `${N} ${r} ${p}`).toBe(false)
    }
    const parts = good.split("$")
    const changed = (index: number, text: string) => parts.map((part, at) => at === index ? text : part).join("$")
    expect(parse(good)).toBe(true)
    for (
      const text of [
        "",
        "scrypt$",
        `${good}$`,
        `${good}\n`,
        ` ${good}`,
        changed(0, "bcrypt"),
        changed(4, ""),
        changed(4, "A"),
        changed(4, "A".repeat(1_000_000)),
        changed(5, "A"),
        changed(5, "A".repeat(44)),
        changed(5, "/".repeat(43))
      ]
    ) {
      expect(parse(text), text.slice(0, 80)).toBe(false)
    }
  })

  it.live("takes what hashPassword makes, as text or from the configuration", () =>
    Effect.gen(function*() {
      const hash = yield* TaskAuth.hashPassword(Redacted.make("pässwörd"))
      expect(hash).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/)
      expect(yield* TaskAuth.hashPassword("pässwörd")).not.toBe(hash)
      const known = Passwords.make("test", [
        ["", { username: "text", password: hash }],
        ["", { username: "config", password: Redacted.make(hash) }]
      ])
      const check = (username: string, password: string) =>
        Effect.map(known.check({ username, password: Redacted.make(password) }), (account) => account?.user ?? null)
      expect(yield* check("text", "pässwörd")).toEqual({ name: "text", access: "operator" })
      expect(yield* check("config", "pässwörd")).toEqual({ name: "config", access: "operator" })
      expect(yield* check("text", "passwörd")).toBe(null)
      // A hash is no password.
      expect(yield* check("text", hash)).toBe(null)
      for (const password of ["", "x".repeat(1_025), "\ud800"]) {
        const made = yield* Effect.exit(TaskAuth.hashPassword(password))
        expect(String(made), password.slice(0, 5)).toContain("TaskAuth.hashPassword: the password is empty, longer")
      }
    }))
})

describe("TaskAuth.bearer", () => {
  const tokens = [
    { name: "ci", token: Redacted.make("0123456789abcdef"), access: "operator" },
    { name: "grafana", token: Redacted.make("fedcba9876543210"), access: "viewer" }
  ] as const

  it("fails for what would be easy to guess or not to tell apart, without the token", () => {
    const token = Redacted.make("secret-0123456789")
    const cases: ReadonlyArray<readonly [ReadonlyArray<object>, string]> = [
      [[], "tokens is empty"],
      [[{ name: "", token, access: "viewer" }], "tokens[0].name"],
      [[{ name: "a", token: Redacted.make("secret-56789012"), access: "viewer" }], "tokens[0].token"],
      [[{ name: "a", token: Redacted.make("secret 0123456789"), access: "viewer" }], "tokens[0].token"],
      [[{ name: "a", token: Redacted.make("secret-пароль-пароль"), access: "viewer" }], "tokens[0].token"],
      [[{ name: "a", token, access: "root" }], "tokens[0].access"],
      [[{ name: "a", token, access: "viewer" }, { name: "b", token, access: "viewer" }], "tokens[1] has"],
      [[...tokens, { name: "ci", token, access: "viewer" }], "tokens[2] has"]
    ]
    for (const [given, message] of cases) {
      // safe: what JavaScript lets a caller give
      const make = () => TaskAuth.bearer({ tokens: given as ReadonlyArray<TaskAuth.TokenOptions> })
      expect(make, message).toThrow(`TaskAuth.bearer: ${message}`)
      expect(make).not.toThrow(/secret/)
    }
  })

  it.scoped("knows who uses which token, and nobody else", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: TaskAuth.bearer({ tokens }) })
      const who = (authorization: string) =>
        Effect.map(ask("GET", "/tasks/auth/session", { headers: { authorization } }), ({ body, status }) =>
          status === 200 ? [body.user, body.access, body.expiresAt] : status)
      expect(yield* who("Bearer 0123456789abcdef")).toEqual(["ci", "operator", null])
      expect(yield* who("bearer  fedcba9876543210")).toEqual(["grafana", "viewer", null])
      for (
        const wrong of [
          "",
          "Bearer",
          "Bearer ",
          "Bearer 0123456789abcde",
          "Bearer 0123456789abcdeff",
          "Bearer 0123456789ABCDEF",
          "Bearer 0123456789abcdef fedcba9876543210",
          "Basic 0123456789abcdef",
          "0123456789abcdef",
          `Bearer ${"x".repeat(10_000)}`,
          "Bearer caf\u00e9caf\u00e9caf\u00e9caf\u00e9"
        ]
      ) {
        expect(yield* who(wrong), wrong.slice(0, 50)).toBe(401)
      }
      const refused = yield* ask("GET", "/tasks")
      expect(refused.headers["www-authenticate"]).toBe("Bearer realm=\"tasks\"")
    }).pipe(Effect.provide(tasks())))
})

describe("TaskAuth.any", () => {
  const ci = TaskAuth.bearer({ tokens: [{ name: "ci", token: Redacted.make("0123456789abcdef"), access: "viewer" }] })
  const own = TaskAuth.make({
    authenticate: ({ headers }) =>
      Effect.succeed(headers["x-user"] === undefined ? null : { name: headers["x-user"], access: "operator" as const }),
    challenge: "Own"
  })

  it.scoped("asks one after the other, and names all ways in its challenge", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({ auth: TaskAuth.any(ci, own, auth), secretKey: Redacted.make("k".repeat(32)) })
      const who = (headers: Record<string, string>) =>
        Effect.map(ask("GET", "/tasks/auth/session", { headers }), ({ body }) => body.user)
      const token = { authorization: "Bearer 0123456789abcdef" }
      expect(yield* who({ ...token, "x-user": "eve" })).toBe("ci")
      expect(yield* who({ authorization: "Bearer wrong", "x-user": "eve" })).toBe("eve")
      expect(yield* who(good)).toBe("ada")
      const { headers, status } = yield* ask("GET", "/tasks")
      expect([status, headers["www-authenticate"]]).toEqual([
        401,
        "Bearer realm=\"tasks\", Own, Basic realm=\"tasks\", charset=\"UTF-8\""
      ])
    }).pipe(Effect.provide(tasks())))

  it("refuses open, which would let everybody pass", () => {
    expect(() => TaskAuth.any(ci, TaskAuth.open)).toThrow("TaskAuth.any: open")
  })
})

describe("TaskAuth.redirect", () => {
  it("takes what can stand in a header", () => {
    expect(TaskAuth.redirect("https://login.example/?a=b")).toMatchObject({ url: "https://login.example/?a=b" })
    for (const url of ["", "/a b", "/a\r\nset-cookie: x=y", "/\u0000", "/ä"]) {
      expect(() => TaskAuth.redirect(url), url).toThrow("TaskAuth.redirect")
    }
  })
})
