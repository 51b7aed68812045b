/**
 * Defects of other task dashboards, as far as they are of HTTP, and which test of ours would fail with them. Those without
 * a file are in this one; what is not of HTTP has its tests beside the engine and the backends.
 *
 * | defect | test |
 * |---|---|
 * | the stream, or any route, answers without credentials | TaskAuth: stands before every route and every method, with and without wrong credentials |
 * | another spelling or method gets around the check | TaskAuth: cannot be walked around by another spelling of the path, another method or an unknown path |
 * | open unless one thinks of it | mount: fails the build for a prefix that is no plain path, and without auth |
 * | a session lives on after logout | sessions: ends with logout, also in its renewed form, and logout may be repeated |
 * | … on another instance, or after a restart | sessions: reaches other instances and outlives a restart |
 * | removed users, and those with a new password, keep access | sessions: ends with another password, other access or a removed user, and not with other users |
 * | sessions end with the process although there is a secret | sessions: goes on while the secret is replaced, and moves to the new one |
 * | the cookie is not Secure | sessions: is HttpOnly and SameSite=Lax, below the prefix on HTTP, and __Host- on HTTPS |
 * | logout is a link | a link that another page follows ends no session |
 * | no defence against writes of other sites; simple requests pass | guard: passes or is refused by where it comes from, who sends it and the header x-taskflow |
 * | bodies of forms are taken | guard: has a JSON body or none: of a browser it has to say so, of a program it may |
 * | passwords may be guessed without end | guardThrottle: answers 429 with Retry-After after five wrong passwords, also to the right one |
 * | strangers fill the audit trail | guardThrottle: counts names that nobody can have as well, so that strangers fill no audit trail |
 * | an unknown user is told by the time it takes | guardThrottle: is the same for known and unknown users, for right and wrong passwords, hashed or not |
 * | passwords are kept as text alone | TaskAuth: takes what hashPassword makes, as text or from the configuration |
 * | a password that is not ASCII is a 500 | sessions: survives any password and any name, hashed or not |
 * | whoever may look may change | permissions: of a viewer are refused, change nothing and are written down |
 * | denied actions leave no trace | permissions: of a viewer are refused, change nothing and are written down |
 * | the audit trail is short and of one process | sessions: reaches other instances and outlives a restart |
 * | arguments are on the stream, and anywhere else | permissions: are seen by nobody who may not see arguments, whatever else they may do |
 * | secrets stand in errors and stacks | listing: looks into arguments only where they are shown, and never finds what is kept from view |
 * | a text that cannot be encoded makes the list a 500 for ever | a task whose error is no Unicode text is shown everywhere |
 * | input that nobody expected is a 500 | fuzz: to memory |
 * | … nested ten thousand deep | hostile: nested deeper than anybody nests is refused, wherever it stands in a body |
 * | a request ends the host | nodeBridge: is none when it cannot be one, and throws into no host |
 * | one payload stops the event loop | redaction: costs one pass, whatever was written to make the patterns go back and forth |
 * | a search stops the event loop | TaskSearch: lets others have their turn between rows that take long to look at |
 * | names run as HTML or script | names and texts of tasks are nothing but text, whatever they hold |
 * | line breaks forge log lines, events and rows | names and texts of tasks are nothing but text, whatever they hold |
 * | spreadsheets run what is exported | export: gives what the filter shows under the name of the day, with nothing that a spreadsheet would run |
 * | streams are taken by whoever reads none | who asks for its head alone takes no place among those that may be open |
 * | a change costs every browser all tasks | a change is told in the same few bytes, however many tasks are kept |
 * | … and is encoded for each of them | streamHub: costs as much for a hundred clients as for one: one read, one encoding a frame |
 * | lists are whole, with logs and stacks | TaskHttp: lists newest first with the facts of each record, and nothing secret or heavy |
 * | replaying a failure doubles it each time | actions: runs one failure once however often the window is replayed |
 * | a task cancelled while it waits runs | TaskHttp: cancels what waits at once, asks what runs, refuses what ended |
 * | many tasks take as many requests | actions: retries by id, once each, and says why others were left alone |
 * | the rate of success counts what has not ended | TaskHttp: counts by status, and gives rates and durations of what ended |
 * | a time without its zone means another one | hostile: in a filter says what was expected |
 * | schedules show another name than the task's | fleet: shows what is kept of schedules, pauses and resumes them |
 * | only the instance that is asked is live | streamHttp: what one changes is seen on the stream of the other |
 */
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted, Schema } from "effect"
import { Task, TaskLog } from "effect-taskflow"
import { TaskAuth, TaskHost, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { engine } from "../support/engine.js"
import { cookieOf, inProcess, login, withCookie } from "./inProcess.js"
import { send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = TaskHttp.layer({ auth: TaskAuth.open, displayArguments: true })
const read = (name: string) => readFileSync(new URL(`./${name}.test.ts`, import.meta.url), "utf8")

describe("the table", () => {
  it("names tests that are there", () => {
    const rows = [...read("defects").matchAll(/^ \* \| (.+?) \| (?:(\w+): )?(.+) \|$/gm)].slice(1)
    expect(rows.length).toBeGreaterThan(35)
    for (const [, defect, file = "defects", name = ""] of rows) {
      const [, ...tests] = read(file).split(/^ \*\/$/m)
      const text = file === "defects" ? tests.join("") : read(file)
      expect(text.includes(`"${name}"`), `${defect}: ${file}: ${name}`).toBe(true)
    }
  })
})

describe("logout", () => {
  it.scoped("a link that another page follows ends no session", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess({
        auth: TaskAuth.users({ users: [{ username: "ada", password: Redacted.make("right") }] })
      })
      const cookie = cookieOf(yield* login(ask, "ada", "right"))
      for (const method of ["GET", "HEAD", "OPTIONS"]) {
        const answer = yield* ask(method, "/tasks/auth/logout", withCookie(cookie, { "sec-fetch-site": "cross-site" }))
        expect([answer.status, answer.headers["set-cookie"]], method).toEqual([404, undefined])
      }
      expect((yield* ask("GET", "/tasks", withCookie(cookie))).status).toBe(200)
    }).pipe(Effect.provide(tasks())))
})

const hostile = "</script><img src=x onerror=alert(1)>\r\n\r\nid: 9\ndata: {\"t\":\"bye\"}\n\n\u2028\"} 1\n\u001b[31m"
// Names have no control characters, which defining one refuses.
const name = "</script><img src=x onerror=alert(1)>\\\"} 1"
const Named = Task.make(name, { payload: { text: Schema.String } })
const Halved = Task.make("halved", { payload: { text: Schema.String } })

const handlers = Layer.mergeAll(
  Named.toLayer(({ text }) => Effect.zipRight(TaskLog.warning(text, { text }), Effect.die(new Error(text)))),
  Halved.toLayer(({ text }) =>
    Effect.zipRight(TaskLog.warning(`half \ud83d`), Effect.die(new Error(`half \udd25 \u0000 ${text}`)))
  )
).pipe(Layer.provide(Logger.remove(Logger.defaultLogger)))
const app = Layer.provideMerge(handlers, engine())

/** The frames of a stream, as a browser reads them, until one of them fits. */
const framesUntil = (base: string, topics: string, isLast: (frame: any) => boolean) =>
  Effect.promise(async () => {
    const leave = new AbortController()
    const response = await fetch(`${base}/tasks/stream?topics=${topics}`, { signal: leave.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    const frames: Array<any> = []
    let text = ""
    for (;;) {
      const { done, value = "" } = await reader.read()
      text += value
      const blocks = text.split("\n\n")
      text = blocks.pop()!
      for (const block of blocks) {
        const lines = block.split(/\r\n|\n|\r/)
        expect(lines.filter((line) => !/^(: ?|retry: \d+$|id: [0-9a-f]+-\d+$|data: \{.*\}$)/s.test(line))).toEqual([])
        const data = lines.filter((line) => line.startsWith("data: "))
        expect(data.length).toBeLessThanOrEqual(1)
        if (data[0] !== undefined) frames.push(JSON.parse(data[0].slice(6)))
      }
      if (done || frames.some(isLast)) {
        leave.abort()
        return frames
      }
    }
  })

describe("texts", () => {
  it.scopedLive("names and texts of tasks are nothing but text, whatever they hold", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const { taskId } = yield* Named.enqueue({ text: hostile }, {
        tags: { [hostile]: hostile },
        idempotencyKey: hostile
      })
      yield* awaitStatus(taskId, "failed")
      const pages = [
        "",
        `/${taskId}`,
        `/${taskId}/logs`,
        `/${taskId}/attempts`,
        "/definitions",
        "/errors",
        "/suggest?text=task:"
      ]
      for (
        const path of [...pages, `/${encodeURIComponent(hostile)}`, `/definitions/${encodeURIComponent(name)}`]
      ) {
        const { body, headers } = yield* send(base, "GET", `/tasks${path}`)
        expect(headers, path).toMatchObject({
          "content-type": "application/json",
          "x-content-type-options": "nosniff",
          "content-security-policy": "default-src 'none'; frame-ancestors 'none'"
        })
        expect(body, path).toBeDefined()
      }
      expect((yield* send(base, "GET", `/tasks/${taskId}`)).body.tags).toEqual({ [hostile]: hostile })
      const rows = (yield* send(base, "GET", "/tasks/export.ndjson")).text.split(/\r\n|\n|\r/)
      expect(rows.map((row) => row === "" ? "" : JSON.parse(row).taskName)).toEqual([name, ""])
      const prometheus = (yield* send(base, "GET", "/tasks/metrics/prometheus")).text.split("\n")
      expect(prometheus.filter((line) => !/^(# (HELP|TYPE) taskflow_.*|taskflow_.* [0-9.e+-]+|)$/.test(line))).toEqual(
        []
      )
      const topics = `runs,log:${taskId},run:${taskId}`
      const frames = yield* framesUntil(base, topics, ({ t }) => t === "run")
      expect(frames.find(({ t }) => t === "run").patch.taskName).toBe(name)
      expect(frames.some(({ t }) => t === "bye")).toBe(false)
    }).pipe(Effect.provide(app)))

  it.scopedLive("a task whose error is no Unicode text is shown everywhere", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const { taskId } = yield* Halved.enqueue({ text: "whole" })
      yield* awaitStatus(taskId, "failed")
      for (
        const path of [
          "",
          "?q=half",
          "?q=error:half",
          "/facets?q=half",
          `/${taskId}`,
          `/${taskId}/logs`,
          `/${taskId}/attempts`,
          "/errors",
          "/export.csv",
          "/export.ndjson",
          "/metrics/prometheus"
        ]
      ) {
        const { status, text } = yield* send(base, "GET", `/tasks${path}`)
        expect(status, path).toBe(200)
        expect(/\p{Cs}/u.test(text), path).toBe(false)
      }
      expect((yield* send(base, "GET", "/tasks?q=half")).body.items).toHaveLength(1)
      const frames = yield* framesUntil(base, `run:${taskId}`, ({ t }) => t === "run")
      expect(frames.find(({ t }) => t === "run").patch.error).toContain("half")
    }).pipe(Effect.provide(app)))
})

describe("the stream", () => {
  it.live("who asks for its head alone takes no place among those that may be open", () =>
    Effect.promise(async () => {
      const host = TaskHost.make(app, { auth: TaskAuth.open, maxStreams: 1 })
      const server = createServer((request, response) => host.node(request, response))
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      const asks = [
        (method: string, signal?: AbortSignal) => fetch(`${base}/tasks/stream`, { method, signal: signal ?? null }),
        (method: string, signal?: AbortSignal) =>
          host.web(new Request("http://tasks.localhost/tasks/stream", { method, signal: signal ?? null }))
      ]
      for (const ask of asks) {
        for (let times = 0; times < 3; times += 1) {
          const { headers, status } = await ask("HEAD")
          expect([status, headers.get("content-type")]).toEqual([200, "text/event-stream"])
        }
      }
      const leave = new AbortController()
      expect((await asks[0]!("GET", leave.signal)).status).toBe(200)
      leave.abort()
      await host.dispose()
      server.closeAllConnections()
      server.close()
    }))

  it.scopedLive("a change is told in the same few bytes, however many tasks are kept", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const rowsOf = (body: any): ReadonlyArray<any> => body.frames.flatMap(({ n = [], u = [] }: any) => [...n, ...u])
      const changed = Effect.gen(function*() {
        const { next } = (yield* send(base, "GET", "/tasks/changes?topics=runs")).body
        const { taskId } = yield* Works.enqueue({ n: 1 })
        yield* awaitStatus(taskId, "success")
        // Of very many a frame only says how many: this one may be among those, and is then told by nobody.
        const isCounted = ({ frames }: any) =>
          frames.some(({ over, sampled, t }: any) => over || sampled || t === "reset")
        const { body, text } = yield* Effect.repeat(send(base, "GET", `/tasks/changes?topics=runs&since=${next}`), {
          until: ({ body }): boolean =>
            isCounted(body) || rowsOf(body).some((row) => row.taskId === taskId && row.status === "success")
        })
        const alone: boolean = !isCounted(body) && rowsOf(body).every((row) => row.taskId === taskId)
        return { alone, size: text.length }
      })
      const heard = (kept: number) =>
        Effect.gen(function*() {
          const more = yield* Works.enqueueMany(Array.from({ length: kept }, (_, n) => ({ n })))
          yield* Effect.forEach(more, ({ taskId }) => awaitStatus(taskId, "success"), { discard: true })
          // Until the ones before are all told.
          return (yield* Effect.repeat(changed, { until: ({ alone }): boolean => alone })).size
        })
      const few = yield* heard(1)
      expect(few).toBeLessThan(5_000)
      expect(yield* heard(500)).toBeLessThan(5_000)
    }).pipe(Effect.provide(tasks())))
})
