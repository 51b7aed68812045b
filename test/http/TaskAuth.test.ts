import {
  HttpApi,
  HttpApiBuilder,
  HttpApiEndpoint,
  HttpApiGroup,
  HttpLayerRouter,
  HttpServerResponse
} from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schema } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskApi, TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import * as AuthApi from "../../src/http/auth/AuthApi.js"
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
      found.push([endpoint.method, endpoint.path.replace(":id", id)])
    }
  }
  HttpApi.reflect(TaskApi.make("/tasks"), reflected)
  HttpApi.reflect(AuthApi.make("/tasks"), reflected)
  // These two ask for no credentials: one brings them, and the other only takes away.
  return found.filter(([method, path]) => !(method === "POST" && /\/auth\/log(in|out)$/.test(path)))
}

describe("the guard", () => {
  it.scopedLive("stands before every route and every method, with and without wrong credentials", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth }))
      const routes = allRoutes()
      expect(routes.length).toBeGreaterThanOrEqual(9)
      for (const [method, path] of routes) {
        for (const headers of [{}, basic("ada", "wrong"), basic("", "")]) {
          const { body, headers: sent, status } = yield* send(base, method, path, headers)
          expect(status, `${method} ${path}`).toBe(401)
          expect(body).toEqual({ _tag: "Unauthorized", message: expect.any(String) })
          expect(sent["www-authenticate"]).toBe("Basic realm=\"tasks\", charset=\"UTF-8\"")
          expect(sent["cache-control"]).toBe("no-store")
        }
        const passed = yield* send(base, method, path, good)
        expect([200, 404], `${method} ${path}`).toContain(passed.status)
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
    ["default port left out", () => ({ origin: "https://tasks.example", host: "tasks.example:443" }), true],
    ["a host that is none", () => ({ origin: "https://tasks.example", host: "[" }), false]
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
        expect((yield* send(base, "GET", "/tasks", sent)).status, `GET ${name}`).toBe(200)
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
    expect(make("", "x")).toThrow("username")
    expect(make("a:b", "x")).toThrow("username")
    expect(make("a", "")).toThrow("password")
    expect(make("a", " ")).not.toThrow()
  })

  it("does not show the password when printed", () => {
    expect(JSON.stringify(auth)).not.toContain("wörd")
  })
})
