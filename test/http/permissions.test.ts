/** Who may do what, and who sees what: every operation of the API, by each permission. */
import { OpenApi } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted, Schema } from "effect"
import { Task, TaskLog, TaskManager } from "effect-taskflow"
import { TaskApi, TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { permissions } from "../../src/http/TaskUser.js"
import { engine } from "../support/engine.js"
import { type Answer, Declined, post, send, serve } from "./support.js"

const { awaitStatus } = TaskflowTest

/** What only those may see who may see arguments. */
const markers = /payload-marker|result-marker|log-marker|extra-marker/

const Notes = Task.make("notes", {
  payload: { note: Schema.String },
  success: Schema.Struct({ answer: Schema.String }),
  tags: { kind: "note" }
})
const Breaks = Task.make("breaks", { payload: { note: Schema.String }, error: Declined })
const Hangs = Task.make("hangs", { payload: { note: Schema.String } })

const logging = Effect.zipRight(Effect.log("log-marker"), TaskLog.warning("look", { extra: "extra-marker" }))
const handlers = Layer.mergeAll(
  Notes.toLayer(() => Effect.as(logging, { answer: "result-marker" })),
  Breaks.toLayer(() => Effect.zipRight(logging, Effect.fail(new Declined({ reason: "no funds" })))),
  Hangs.toLayer(() => Effect.zipRight(logging, Effect.never))
).pipe(Layer.provide(Logger.remove(Logger.defaultLogger)))
const app = Layer.provideMerge(handlers, engine({ maxConcurrentTasks: 4 }))

const blind = permissions.filter((one) => one !== "arguments")
const tokenOf = (name: string) => `token-of-${name}-0123456789`
const as = (name: string) => ({ authorization: `Bearer ${tokenOf(name)}` })
const access: Readonly<Record<string, TaskAuth.Access>> = {
  viewer: "viewer",
  operator: "operator",
  nobody: [],
  blind,
  ...Object.fromEntries(permissions.map((permission) => [permission, [permission]]))
}
const routes = TaskHttp.layer({
  auth: TaskAuth.bearer({
    tokens: Object.entries(access).map(([name, access]) => ({ name, token: Redacted.make(tokenOf(name)), access }))
  }),
  displayArguments: true
})

/** Every operation of the API, as `GET /tasks/{id}`. */
const operations: ReadonlyArray<string> = Object.entries(OpenApi.fromApi(TaskApi.make()).paths).flatMap(
  ([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`)
)

interface Places {
  readonly failed: string
  readonly hanging: string
  readonly done: string
  readonly fingerprint: string
  readonly instance: string
  /** A batch that waits. */
  readonly batch: string
}

interface Write {
  readonly permission: TaskAuth.Permission
  /** As the audit trail names it. */
  readonly action: string
  readonly query?: string
  readonly body?: unknown
}

const writes: Readonly<Record<string, Write>> = {
  "POST /tasks/{id}/retry": { permission: "retry", action: "retry" },
  "POST /tasks/{id}/cancel": { permission: "cancel", action: "cancel" },
  "POST /tasks/bulk-retry": { permission: "retry", action: "bulk_retry", body: { filter: { status: ["failed"] } } },
  "POST /tasks/bulk-cancel": { permission: "cancel", action: "bulk_cancel", body: { filter: { task: "hangs" } } },
  "POST /tasks/batches": {
    permission: "retry",
    action: "batch.retry",
    body: { action: "retry", selection: { filter: { status: ["failed"] } }, startAfter: 60_000 }
  },
  "POST /tasks/batches/{batch}/start": { permission: "retry", action: "batch.start" },
  "POST /tasks/batches/{batch}/stop": { permission: "retry", action: "batch.stop" },
  "POST /tasks/retry-failed": { permission: "retry", action: "retry_failed", query: "?since=all" },
  "DELETE /tasks/history": { permission: "delete", action: "delete_history", query: "?value=1&unit=min" },
  "POST /tasks/definitions/{name}/enqueue": {
    permission: "enqueue",
    action: "enqueue",
    body: { payload: { note: "payload-marker" } }
  },
  "POST /tasks/definitions/{name}/pause": { permission: "pause", action: "definition.pause" },
  "POST /tasks/definitions/{name}/resume": { permission: "pause", action: "definition.resume" },
  "POST /tasks/pause": { permission: "pause", action: "pause" },
  "POST /tasks/resume": { permission: "pause", action: "resume" },
  "POST /tasks/schedules/{name}/pause": { permission: "schedules", action: "schedule.pause" },
  "POST /tasks/schedules/{name}/resume": { permission: "schedules", action: "schedule.resume" },
  "POST /tasks/schedules/{name}/trigger": { permission: "schedules", action: "schedule.trigger" },
  "DELETE /tasks/schedules/{name}": { permission: "schedules", action: "schedule.remove" },
  "POST /tasks/errors/{fingerprint}/retry": { permission: "retry", action: "error.retry" },
  "POST /tasks/errors/{fingerprint}/dismiss": { permission: "dismiss", action: "error.dismiss" },
  "POST /tasks/instances/{instance}/drain": { permission: "drain", action: "instance.drain" },
  "POST /tasks/instances/{instance}/undrain": { permission: "drain", action: "instance.undrain" }
}
/** Whoever knows a password may log in, and whoever has a session may end it. */
const ofAnybody = ["POST /tasks/auth/login", "POST /tasks/auth/logout"]

const pathOf = (operation: string, id: string, { batch, fingerprint, instance }: Places) =>
  operation.slice(operation.indexOf(" ") + 1)
    .replace("{id}", id)
    .replace("{name}", "notes")
    .replace("{batch}", batch)
    .replace("{fingerprint}", fingerprint)
    .replace("{instance}", encodeURIComponent(instance))

const write = (base: string, operation: string, places: Places, caller: string): Effect.Effect<Answer> => {
  const { body, query = "" } = writes[operation]!
  const id = operation.endsWith("/cancel") ? places.hanging : places.failed
  const method = operation.slice(0, operation.indexOf(" "))
  return post(base, `${pathOf(operation, id, places)}${query}`, body, as(caller), method)
}

/** One task that succeeded, one that failed, one that hangs, and where to find what they left. */
const setUp = Effect.gen(function*() {
  const base = yield* serve(routes)
  const payload = { note: "payload-marker" }
  const done = (yield* Notes.enqueue(payload)).taskId
  const failed = (yield* Breaks.enqueue(payload)).taskId
  const hanging = (yield* Hangs.enqueue(payload)).taskId
  yield* awaitStatus(done, "success")
  yield* awaitStatus(failed, "failed")
  yield* awaitStatus(hanging, "running")
  yield* Effect.flatMap(TaskManager, ({ schedules }) => schedules.upsert(Notes, { every: "1 hour", payload }))
  const errors = yield* send(base, "GET", "/tasks/errors", as("operator"))
  const { body } = yield* send(base, "GET", "/tasks/instances", as("operator"))
  const asked = { action: "retry", selection: { ids: [done] }, startAfter: 600_000 }
  const batch = (yield* post(base, "/tasks/batches", asked, as("retry"))).body.batch.id
  const places: Places = {
    batch,
    done,
    failed,
    hanging,
    fingerprint: errors.body.items[0].fingerprint,
    instance: body.items[0].instance
  }
  return { base, places }
})

/** Everything that a write could have changed. */
const everything = (base: string) =>
  Effect.gen(function*() {
    const told: Array<unknown> = []
    for (const path of ["", "/pauses", "/schedules", "/errors", "/metrics"]) {
      told.push((yield* send(base, "GET", `/tasks${path}`, as("operator"))).body)
    }
    const { body } = yield* send(base, "GET", "/tasks/instances", as("operator"))
    return [...told, body.items.map(({ draining, instance }: any) => [instance, draining])]
  })

describe("writes", () => {
  it("are all known here, each with the permission that it needs", () => {
    const found = operations.filter((operation) => !operation.startsWith("GET ") && !ofAnybody.includes(operation))
    expect([...found].sort()).toEqual(Object.keys(writes).sort())
  })

  it.scopedLive("of a viewer are refused, change nothing and are written down", () =>
    Effect.gen(function*() {
      const { base, places } = yield* setUp
      const before = yield* everything(base)
      for (const caller of ["viewer", "nobody"]) {
        for (const [operation, { permission }] of Object.entries(writes)) {
          const { body, status } = yield* write(base, operation, places, caller)
          expect([status, body._tag, body.permission], `${caller} ${operation}`)
            .toEqual([403, "TaskForbidden", permission])
        }
      }
      expect(yield* everything(base)).toEqual(before)
      const { audit } = yield* TaskManager
      for (const who of ["viewer", "nobody"]) {
        const { items } = yield* audit.page({ who, limit: 200 })
        expect(items.map(({ action }) => action).sort()).toEqual(
          Object.values(writes).map(({ action }) => action).sort()
        )
        expect(new Set(items.map(({ outcome }) => outcome))).toEqual(new Set(["denied"]))
      }
    }).pipe(Effect.provide(app)))

  it.scopedLive("pass with their own permission alone, and with no other", () =>
    Effect.gen(function*() {
      const { base, places } = yield* setUp
      for (const caller of permissions) {
        for (const [operation, { permission }] of Object.entries(writes)) {
          const { body, status } = yield* write(base, operation, places, caller)
          const what = `${caller}: ${operation} → ${status}`
          if (caller === permission) expect([200, 201, 202, 400, 404, 409], what).toContain(status)
          else expect([status, body._tag], what).toEqual([403, "TaskForbidden"])
        }
      }
      const { audit } = yield* TaskManager
      const pages = yield* Effect.forEach(permissions, (who) => audit.page({ who, limit: 200 }))
      const passed = pages.flatMap(({ items }) => items).filter(({ outcome }) => outcome !== "denied")
      expect(new Set(passed.map(({ who }) => who)))
        .toEqual(new Set(permissions.filter((one) => one !== "arguments" && one !== "audit")))
      expect((yield* send(base, "GET", "/tasks/audit", as("audit"))).status).toBe(200)
      for (const caller of ["nobody", "retry", "arguments"]) {
        const { body, status } = yield* send(base, "GET", "/tasks/audit", as(caller))
        expect([status, body._tag, body.permission]).toEqual([403, "TaskForbidden", "audit"])
      }
    }).pipe(Effect.provide(app)))
})

describe("payloads, results and log lines", () => {
  /** What is read of a stream until it told of another task. */
  const streamed = (base: string, caller: string, topics: string) =>
    Effect.gen(function*() {
      const leave = new AbortController()
      const response = yield* Effect.promise(() =>
        fetch(`${base}/tasks/stream?topics=${topics}`, { headers: as(caller), signal: leave.signal })
      )
      if (response.status !== 200) {
        return {
          status: response.status,
          text: yield* Effect.promise(() => response.text())
        }
      }
      const { taskId } = yield* Notes.enqueue({ note: "payload-marker" })
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ""
      while (!text.includes(`"taskId":"${taskId}"`) || !/"status":"success"/.test(text)) {
        text += (yield* Effect.promise(() => reader.read())).value ?? ""
      }
      leave.abort()
      return { status: 200, text }
    })

  /** Every read there is, with what could be asked of it. */
  const reads = (places: Places): ReadonlyArray<string> => {
    const paths = operations.filter((operation) => operation.startsWith("GET ") && !operation.endsWith("/stream"))
      .flatMap((operation) => [places.done, places.failed, places.hanging].map((id) => pathOf(operation, id, places)))
    const filters = [
      "args.note:payload-marker",
      "args.note:payload*",
      "-args.note:x",
      "payload-marker",
      "error:log-marker",
      "result-marker",
      "tag:kind=note",
      "args.note:*"
    ].map(encodeURIComponent)
    return [
      ...new Set(paths),
      "/tasks/openapi.json",
      ...["", "/facets", "/export.csv", "/export.ndjson"].flatMap((path) => filters.map((q) => `/tasks${path}?q=${q}`)),
      ...["args.", "args.note:", "payload", "tag:"].map((text) => `/tasks/suggest?text=${text}`),
      ...["log:", "run:"].map((topic) => `/tasks/changes?topics=${topic}${places.done}`)
    ]
  }

  it.scopedLive(
    "are seen by nobody who may not see arguments, whatever else they may do",
    () =>
      Effect.gen(function*() {
        const { base, places } = yield* setUp
        // What others asked for is no way either.
        yield* post(base, "/tasks/bulk-retry", { filter: { q: "args.note:payload-marker" } }, as("operator"))
        yield* post(base, "/tasks/bulk-cancel", { filter: { q: "args.note:payload-marker \"" } }, as("operator"))
        yield* post(base, "/tasks/definitions/notes/enqueue", { payload: { note: "payload-marker" } }, as("operator"))
        const seen = (caller: string) =>
          Effect.gen(function*() {
            const leaks: Array<string> = []
            const look = (what: string, text: string) => {
              if (markers.test(text)) leaks.push(what)
            }
            for (const path of reads(places)) {
              const { status, text } = yield* send(base, "GET", path, as(caller))
              expect([200, 400], `${path} → ${status}`).toContain(status)
              // What was asked stands in the answer again: that is no leak, but a find would be.
              const asked = path.includes("marker")
              look(
                path,
                asked ? text.replaceAll(/"(q|token|applied|message)":("[^"]*(\\"[^"]*)*"|\{[^}]*\})/g, "") : text
              )
              if (asked && status === 200 && path.startsWith("/tasks?")) {
                if ((yield* send(base, "GET", path, as(caller))).body.items.length > 0) leaks.push(`found: ${path}`)
              }
            }
            for (const topics of ["runs,counts,buckets", `runs,run:${places.done}`, `runs,log:${places.done}`]) {
              look(topics, (yield* streamed(base, caller, topics)).text)
            }
            for (const operation of Object.keys(writes).filter((one) => !one.includes("/errors/"))) {
              look(operation, (yield* write(base, operation, places, caller)).text)
            }
            return leaks
          })
        expect(yield* seen("blind")).toEqual([])
        const { body: told } = yield* send(base, "GET", "/tasks/audit?action=bulk_retry&who=operator", as("blind"))
        expect(told.items[0].parameters).toMatchObject({ filter: { q: "args.note:\"<redacted>\"" }, dryRun: false })
        yield* post(base, "/tasks/resume", undefined, as("operator"))
        // And it is looked for in the right places: who may see them does.
        expect(yield* send(base, "GET", `/tasks/${places.failed}`, as("arguments"))).toMatchObject({
          body: {
            payload: { note: "payload-marker" },
            logs: [expect.stringContaining("log-marker"), expect.anything()]
          }
        })
        yield* Effect.flatMap(TaskManager, ({ schedules }) =>
          schedules.upsert(Notes, { every: "1 hour", payload: { note: "payload-marker" } }))
        expect(yield* send(base, "GET", "/tasks/schedules/notes", as("arguments"))).toMatchObject({
          body: { payload: { note: "payload-marker" } }
        })
        const { body } = yield* send(base, "GET", `/tasks?q=args.note:payload-marker`, as("arguments"))
        expect(body.items.length).toBeGreaterThan(0)
      }).pipe(Effect.provide(app)),
    60_000
  )
})
