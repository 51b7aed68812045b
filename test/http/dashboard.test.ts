/** The dashboard as the server serves it: who gets what, from where, with which headers. What it does is tested in a browser. */
import { gunzipSync } from "node:zlib"
import { HttpLayerRouter, HttpRouter, HttpServer } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit, Layer, Redacted } from "effect"
import { TaskAuth, TaskHost, TaskHttp } from "effect-taskflow/http"
import * as Assets from "../../src/http/dashboard/assets.js"
import type { PageConfig } from "../../src/http/dashboard/config.js"
import * as Page from "../../src/http/dashboard/page.js"
import * as Dashboard from "../../src/http/dashboard/routes.js"
import * as Guard from "../../src/http/guard.js"
import { type Answer, basic, post, send, serve, serveApp, tasks } from "./support.js"

const auth = TaskAuth.basic({ username: "ops", password: Redacted.make("secret") })
const ops = basic("ops", "secret")
const html = { accept: "text/html,application/xhtml+xml" }

/** Where a link of the page at `path` leads. */
const linked = (path: string, relative: string): string => new URL(relative, `http://host${path}`).pathname

const scriptOf = ({ text }: Answer): string => /<script type="module" src="([^"]+)"/.exec(text)![1]!
const configOf = ({ text }: Answer): PageConfig =>
  JSON.parse(/<script type="application\/json" id="config">(.*?)<\/script>/.exec(text)![1]!)

describe("the page", () => {
  it.scopedLive("is for those who may pass, and finds its files from every depth", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth, prefix: "/a/b/c" }))
      for (
        const path of ["/dashboard", "/dashboard/", "/dashboard/runs", "/dashboard/runs/x?q=1", "/dashboard/a/b/c/d/"]
      ) {
        const answer = yield* send(base, "GET", `/a/b/c${path}`, { ...ops, ...html })
        expect(answer.status, path).toBe(200)
        expect(answer.headers["content-type"]).toBe("text/html; charset=utf-8")
        const script = linked(`/a/b/c${path}`, scriptOf(answer))
        expect(script, path).toMatch(/^\/a\/b\/c\/dashboard\/assets\/main-[\w-]+\.js$/)
        expect((yield* send(base, "GET", script)).status).toBe(200)
        expect(configOf(answer)).toMatchObject({
          page: "app",
          login: true,
          title: "Background tasks",
          environment: null,
          previews: false,
          kept: { success: 604_800_000, failed: 2_592_000_000 }
        })
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("sends whoever is not known to the login, with the way back", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth, prefix: "/a/b" }))
      const places = [
        ["/dashboard", null],
        ["/dashboard/", null],
        ["/dashboard/runs?q=status%3Afailed&run=1", "runs?q=status%3Afailed&run=1"],
        ["/dashboard/runs/1", "runs/1"],
        // Nothing of a request can make it lead elsewhere.
        ["/dashboard//evil.example/x", "evil.example/x"]
      ] as const
      for (const [path, next] of places) {
        for (const headers of [html, { ...html, ...basic("ops", "wrong") }, {}]) {
          const { headers: answered, status } = yield* send(base, "GET", `/a/b${path}`, headers)
          expect(status, path).toBe(303)
          const to = new URL(String(answered["location"]), `http://host/a/b${path}`)
          expect([to.host, to.pathname, to.searchParams.get("next")], path).toEqual(["host", "/a/b/auth/login", next])
          expect(answered["www-authenticate"]).toBeUndefined()
        }
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("lets a host's own login have its visitors", () =>
    Effect.gen(function*() {
      const hosted = TaskAuth.authorize(() => Effect.succeed(TaskAuth.redirect("https://sso.example/in")))
      const base = yield* serve(TaskHttp.layer({ auth: hosted }))
      const { headers, status } = yield* send(base, "GET", "/tasks/dashboard", html)
      expect([status, headers["location"]]).toEqual([302, "https://sso.example/in"])
      expect(configOf(yield* send(base, "GET", "/tasks/auth/login", html)).login).toBe(false)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("has a policy that forbids all that it does not need, and nothing inline but data", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth }))
      const pages = [
        yield* send(base, "GET", "/tasks/dashboard/runs", ops),
        yield* send(base, "GET", "/tasks/auth/login")
      ]
      for (const { headers, text } of pages) {
        expect(headers).toMatchObject({
          "content-security-policy": Page.policy,
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
          "cross-origin-opener-policy": "same-origin",
          "cross-origin-resource-policy": "same-origin",
          "cache-control": "no-store"
        })
        expect(text.match(/<script/g)).toHaveLength(3)
        expect(text.match(/<script(?! async type="module" src=| type="module" src=| type="application\/json" id=)/g))
          .toBeNull()
        // What asks ahead reads it.
        expect(text.indexOf("id=\"config\"")).toBeLessThan(text.indexOf("<script async"))
        expect(text).not.toMatch(/<style|\son\w+=|javascript:|https?:|style=/)
      }
      for (
        const part of [
          "default-src 'none'",
          "frame-ancestors 'none'",
          "base-uri 'none'",
          "require-trusted-types-for 'script'",
          "trusted-types 'none'"
        ]
      ) expect(Page.policy).toContain(part)
      expect(Page.policy).not.toMatch(/unsafe|\*|https?:/)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("shows title and environment as text, whatever is in them", () =>
    Effect.gen(function*() {
      const title = `</script><script>alert(1)</script>&"`
      const base = yield* serve(TaskHttp.layer({ auth, dashboard: { title, environment: "<!--" } }))
      const login = yield* send(base, "GET", "/tasks/auth/login")
      // Whoever may not pass is told nothing of what is kept and shown.
      const nothing = { previews: false, kept: null }
      expect(configOf(login)).toMatchObject({ page: "login", title, environment: "<!--", ...nothing })
      expect(login.text).not.toContain("<script>alert")
      expect(login.text).toContain("<title>&lt;/script&gt;")
      expect(login.text).not.toContain("<!--")
    }).pipe(Effect.provide(tasks())))

  it.effect("is not built with a title that cannot be shown", () =>
    Effect.gen(function*() {
      for (const dashboard of [{ title: " " }, { title: "x".repeat(101) }, { environment: "" }]) {
        const exit = yield* Layer.build(Layer.provide(TaskHttp.layer({ auth, dashboard }), HttpLayerRouter.layer)).pipe(
          Effect.scoped,
          Effect.exit
        )
        expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toMatch(/dashboard\.(title|environment)/)
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("says the colour of the environment, and views to those alone who may see runs", () =>
    Effect.gen(function*() {
      const views = [{ name: "Slow", path: "runs?q=dur:>5s status:failed&since=7d&sort=-duration" }]
      const environment = { label: "production", color: "red" } as const
      const base = yield* serve(TaskHttp.layer({ auth, dashboard: { environment, views } }))
      expect(configOf(yield* send(base, "GET", "/tasks/dashboard", { ...ops, ...html }))).toMatchObject({
        environment: "production",
        environmentColor: "red",
        views: [{ name: "Slow", path: "runs?q=dur%3A%3E5s+status%3Afailed&since=7d&sort=-duration" }]
      })
      expect(configOf(yield* send(base, "GET", "/tasks/auth/login"))).toMatchObject({
        environmentColor: "red",
        views: []
      })
    }).pipe(Effect.provide(tasks())))

  it.effect("is not built with a view or a colour that there is not", () =>
    Effect.gen(function*() {
      const view = (path: string, name = "a") => ({ views: [{ name, path }] })
      const wrong: ReadonlyArray<readonly [unknown, RegExp]> = [
        [{ environment: { label: "x", color: "pink" } }, /environment\.color is "pink": there are red, amber/],
        [{ environment: { label: "" } }, /dashboard\.environment is empty/],
        [view("https://evil.example/"), /views\[0\]\.path is "https:\/\/evil\.example\/": a page of runs/],
        [view("audit"), /a page of runs is expected/],
        [view("runs?run=1"), /has the parameter "run": there are q, status/],
        [view("runs?q=nothing:1"), /filter cannot be read: /],
        [view("runs", " "), /views\[0\]\.name is " "/],
        [{ views: [{ name: "a", path: "runs" }, { name: "a", path: "runs" }] }, /"a" is there twice/],
        [{ views: Array.from({ length: 51 }, (_, n) => ({ name: `${n}`, path: "runs" })) }, /51 views: at most 50/]
      ]
      for (const [dashboard, message] of wrong) {
        // safe: what a program in plain JavaScript may give
        const http = TaskHttp.layer({ auth, dashboard: dashboard as TaskHttp.DashboardSettings })
        const exit = yield* Effect.exit(Effect.scoped(Layer.build(Layer.provide(http, HttpLayerRouter.layer))))
        expect(Exit.isFailure(exit) && Cause.pretty(exit.cause)).toMatch(message)
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("can be turned off, with its login and its files", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth, dashboard: false }))
      const paths = ["/tasks/dashboard", "/tasks/dashboard/runs", "/tasks/dashboard/assets/x.js", "/tasks/auth/login"]
      for (const path of paths) {
        expect((yield* send(base, "GET", path, html)).status, path).toBe(401)
        expect((yield* send(base, "GET", path, { ...ops, ...html })).status, path).toBe(404)
      }
    }).pipe(Effect.provide(tasks())))
})

describe("its files", () => {
  it.scopedLive("are for everybody, for ever, and as small as the client takes them", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth }))
      const { files } = Assets.read()!
      for (const [name, { etag, plain, type }] of files) {
        const path = `/tasks/dashboard/${name}`
        const { headers, status, text } = yield* send(base, "GET", path)
        expect([status, headers["content-type"], headers["etag"]], name).toEqual([200, type, etag])
        expect(headers["cache-control"]).toBe("public, max-age=31536000, immutable")
        expect(headers["x-content-type-options"]).toBe("nosniff")
        expect(headers["set-cookie"]).toBeUndefined()
        if (type.startsWith("text/")) expect(text).toBe(Buffer.from(plain).toString("utf8"))
        const again = yield* send(base, "GET", path, { "if-none-match": `"other", W/${etag}` })
        expect([again.status, again.text, again.headers["etag"]], name).toEqual([304, "", etag])
        expect((yield* send(base, "HEAD", path)).status).toBe(200)
        expect((yield* send(base, "POST", path)).status).toBe(401)
      }
      const script = `/tasks/dashboard/${[...files.keys()].find((name) => /main-.*\.js$/.test(name))!}`
      const encodings = [
        ["gzip, deflate, br", "br"],
        ["gzip;q=0.8, br;q=0", "gzip"],
        ["identity", undefined],
        ["", undefined]
      ] as const
      for (const [accepted, encoding] of encodings) {
        const { headers } = yield* send(base, "GET", script, { "accept-encoding": accepted })
        expect([headers["content-encoding"], headers["vary"]], accepted).toEqual([encoding, "accept-encoding"])
      }
      const response = yield* Effect.promise(() => fetch(base + script))
      expect(yield* Effect.promise(() => response.text())).toBe((yield* send(base, "GET", script)).text)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("are those of the build and nothing else", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ auth }))
      for (
        const name of ["x.js", "../dashboard.json", "..%2fdashboard.json", "%2e%2e/dashboard.json", "", "main.js.br"]
      ) {
        const { headers, status, text } = yield* send(base, "GET", `/tasks/dashboard/assets/${name}`)
        // What a server makes another path of is a page, and that is for those who may pass.
        expect([303, 404], name).toContain(status)
        expect(text, name).not.toContain("encodings")
        if (status === 404) expect(headers["cache-control"]).toBe("no-store")
      }
    }).pipe(Effect.provide(tasks())))

  it("keep to their budget: what a first visit loads", () => {
    const { entry, files } = Assets.read()!
    const sizeOf = (names: ReadonlyArray<string>) =>
      names.reduce((sum, name) => sum + (files.get(name)!.gzip ?? files.get(name)!.plain).length, 0)
    expect(sizeOf([entry.first, entry.script, ...entry.modules])).toBeLessThanOrEqual(70_000)
    // Built for use, whoever built it: compiled for development it would say where each element comes from.
    for (const name of entry.modules.concat(entry.script)) {
      expect(Buffer.from(files.get(name)!.plain).toString()).not.toMatch(/jsxDEV|lineNumber:/)
    }
    expect(sizeOf(entry.styles)).toBeLessThanOrEqual(10_000)
    expect(sizeOf(entry.fonts)).toBeLessThanOrEqual(45_000)
    expect(gunzipSync(files.get(entry.script)!.gzip!)).toEqual(Buffer.from(files.get(entry.script)!.plain))
    expect([...files.keys()]).toContain("assets/LICENSES.txt")
  })
})

describe("mounted elsewhere", () => {
  const visit = (base: string, prefix: string) =>
    Effect.gen(function*() {
      const away = yield* send(base, "GET", `${prefix}/dashboard/runs`, html)
      expect(new URL(String(away.headers["location"]), `${base}${prefix}/dashboard/runs`).pathname).toBe(
        `${prefix}/auth/login`
      )
      const page = yield* send(base, "GET", `${prefix}/dashboard/runs`, { ...ops, ...html })
      expect(page.status).toBe(200)
      const script = linked(`${prefix}/dashboard/runs`, scriptOf(page))
      expect((yield* send(base, "GET", script)).headers["content-type"]).toBe("text/javascript; charset=utf-8")
      expect((yield* send(base, "GET", `${prefix}/metrics`)).status).toBe(401)
      const login = yield* send(base, "GET", `${prefix}/auth/login`)
      expect(linked(`${prefix}/auth/login`, scriptOf(login))).toBe(script)
      const entered = yield* post(base, `${prefix}/auth/login`, { username: "ops", password: "secret" })
      expect(entered.status).toBe(200)
      const cookie = String(entered.headers["set-cookie"]).split(";")[0]!
      expect((yield* send(base, "GET", `${prefix}/dashboard`, { cookie })).status).toBe(200)
    })

  it.scopedLive("works in a classic router", () =>
    Effect.gen(function*() {
      const routes = yield* TaskHttp.router({ auth, prefix: "/ops/tasks" })
      yield* visit(
        yield* serveApp(HttpServer.serve(HttpRouter.empty.pipe(HttpRouter.mount("/ops/tasks", routes)))),
        "/ops/tasks"
      )
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("works at the root", () =>
    Effect.gen(function*() {
      yield* visit(yield* serve(TaskHttp.layer({ auth, prefix: "/" })), "")
    }).pipe(Effect.provide(tasks())))

  it.live("works through a TaskHost whose prefix was cut off", () =>
    Effect.gen(function*() {
      const host = TaskHost.make(tasks(), { auth, prefix: "/a/b/c", at: "/" })
      yield* Effect.ensuring(
        Effect.gen(function*() {
          const ask = (path: string, headers: Record<string, string> = {}) =>
            Effect.promise(() => host.web(new Request(`http://localhost${path}`, { headers })))
          const away = yield* ask("/dashboard/runs", html)
          expect([away.status, away.headers.get("location")]).toEqual([303, "../auth/login?next=runs"])
          const page = yield* ask("/dashboard/runs", ops)
          const text = yield* Effect.promise(() => page.text())
          const script = /src="(assets[^"]+|\.\/assets[^"]+)"/.exec(text)![1]!
          expect((yield* ask(new URL(script, "http://localhost/dashboard/runs").pathname)).status).toBe(200)
        }),
        Effect.promise(() => host.dispose())
      )
    }))
})

describe("without a build", () => {
  it.scopedLive("says so, and the API goes on", () =>
    Effect.gen(function*() {
      const place = { at: "/tasks", shownAt: "/tasks" }
      const guard = yield* Guard.make({ auth }, place)
      const unbuilt = {
        title: "t",
        environment: null,
        environmentColor: null,
        views: [],
        assets: null,
        build: "0",
        previews: false
      }
      const base = yield* serve(Layer.merge(
        Dashboard.layer(unbuilt, "/tasks", guard),
        TaskHttp.layer({ auth, prefix: "/api" })
      ))
      for (const path of ["/tasks/dashboard", "/tasks/auth/login"]) {
        const { headers, status, text } = yield* send(base, "GET", path, { ...ops, ...html })
        expect([status, headers["content-type"]], path).toEqual([503, "text/html; charset=utf-8"])
        expect(text).toContain("npm run build:dashboard")
      }
      expect((yield* send(base, "GET", "/tasks/dashboard/assets/main.js")).status).toBe(404)
      expect((yield* send(base, "GET", "/api/metrics", ops)).status).toBe(200)
    }).pipe(Effect.provide(tasks())))
})
