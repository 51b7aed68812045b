import { FetchHttpClient, HttpApiClient } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted } from "effect"
import { Task, TaskBackendError, TaskLog, TaskManager, TaskWrongStatus } from "effect-taskflow"
import { TaskApi, TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { version } from "../../src/internal/version.js"
import { collectedLogs, engine, wrappedBackend } from "../support/engine.js"
import { Fails, Flaky, Hangs, Orphan, send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = { auth: TaskAuth.open }
const withLogs = { ...open, displayArguments: "logs" } as const
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

describe("GET /tasks", () => {
  it.scopedLive("lists newest first with the facts of each record, and nothing secret or heavy", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ ...open, displayArguments: true }))
      const first = yield* Works.enqueue(
        { n: 3, token: Redacted.make("payload-secret") },
        { idempotencyKey: "three", tags: { tenant: "acme" } }
      )
      const second = yield* Fails.enqueue()
      yield* awaitStatus(first.taskId, "success")
      yield* awaitStatus(second.taskId, "failed")
      const { body, headers, status, text } = yield* send(base, "GET", "/tasks")
      expect(status).toBe(200)
      expect(headers["content-type"]).toContain("application/json")
      expect(headers["cache-control"]).toBe("no-store")
      expect(body.nextCursor).toBe(null)
      expect(body.items.map((item: any) => item.taskId)).toEqual([second.taskId, first.taskId])
      const [failed, works] = body.items
      expect(works).toEqual({
        taskId: first.taskId,
        taskName: "works",
        v: expect.any(Number),
        status: "success",
        createdAt: expect.stringMatching(iso),
        startedAt: expect.stringMatching(iso),
        endedAt: expect.stringMatching(iso),
        duration: expect.any(Number),
        retriesUsed: 0,
        attempts: 1,
        crashes: 0,
        error: null,
        tags: { parity: "odd", tenant: "acme" },
        source: "manual",
        schedule: null,
        priority: 0,
        executor: "fiber",
        idempotencyKey: "three",
        runAt: null,
        nextAttemptAt: null,
        instance: expect.any(String),
        retryOf: null,
        retriedAs: null,
        cancelRequested: false,
        stopReason: null,
        progress: { value: 0.5, message: "half" },
        preview: "{\"n\":3,\"token\":\"<redacted>\"}"
      })
      expect(failed).toMatchObject({ status: "failed", priority: 7, stopReason: "retriesSpent" })
      expect(failed.error).toContain("no funds")
      expect(failed).not.toHaveProperty("stacktrace")
      const { body: one } = yield* send(base, "GET", `/tasks/${second.taskId}`)
      expect(one.stacktrace).toContain("Declined")
      expect(one.cause).toBe(null)
      expect((yield* send(base, "GET", `/tasks/errors/${one.fingerprint}`)).body).toMatchObject({ count: 1 })
      expect(text).not.toContain("secret")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("filters by status, task, tag, source, priority and time, and pages by cursor", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const ids: Array<string> = []
      for (let n = 0; n < 5; n += 1) ids.push((yield* Works.enqueue({ n })).taskId)
      const failed = (yield* Fails.enqueue()).taskId
      const hangs = (yield* Hangs.enqueue({ note: "x" })).taskId
      for (const id of ids) yield* awaitStatus(id, "success")
      yield* awaitStatus(failed, "failed")
      yield* awaitStatus(hangs, "running")
      const list = (query: string) =>
        Effect.map(send(base, "GET", `/tasks?${query}`), ({ body, status }) => {
          expect(status, query).toBe(200)
          return body.items.map((item: any) => item.taskId)
        })

      expect(yield* list("status=failed")).toEqual([failed])
      expect(yield* list("status=failed&status=running")).toEqual([hangs, failed])
      expect(yield* list("status=failed,running&order=oldest")).toEqual([failed, hangs])
      expect(yield* list("task=works&tag=parity:even&order=oldest")).toEqual([ids[0], ids[2], ids[4]])
      expect(yield* list("task=nobody")).toEqual([])
      expect(yield* list("priority=7")).toEqual([failed])
      expect(yield* list("source=scheduled")).toEqual([])
      const { createdAt } = yield* Effect.flatMap(TaskManager, (manager) => manager.get(ids[0]!))
      const from = encodeURIComponent(new Date(createdAt).toISOString())
      expect(yield* list(`since=${from}`)).toHaveLength(7)
      expect(yield* list(`until=${from}`)).toEqual([])
      expect(yield* list("since=2000-01-01T00:00:00+02:00&limit=200")).toHaveLength(7)
      expect(yield* list("until=2000-01-01")).toEqual([])

      const seen: Array<string> = []
      let cursor = ""
      do {
        const { body } = yield* send(base, "GET", `/tasks?limit=3&order=oldest${cursor}`)
        seen.push(...body.items.map((item: any) => item.taskId))
        cursor = body.nextCursor === null ? "" : `&cursor=${body.nextCursor}`
      } while (cursor !== "")
      expect(seen).toEqual([...ids, failed, hangs])
    }).pipe(Effect.provide(tasks())))
})

describe("GET /tasks/metrics", () => {
  it.scopedLive("counts by status, and gives rates and durations of what ended", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const none = yield* send(base, "GET", "/tasks/metrics")
      expect(none.body).toEqual({
        ...{ total: 0, pending: 0, running: 0, success: 0, failed: 0, interrupted: 0, cancelled: 0 },
        ...{ successRate: null, averageDuration: null, minDuration: null, maxDuration: null },
        ...{ p50Duration: null, p95Duration: null, p99Duration: null }
      })
      for (let n = 0; n < 3; n += 1) yield* awaitStatus((yield* Works.enqueue({ n })).taskId, "success")
      yield* awaitStatus((yield* Fails.enqueue()).taskId, "failed")
      yield* awaitStatus((yield* Hangs.enqueue({ note: "x" })).taskId, "running")
      const all = yield* send(base, "GET", "/tasks/metrics")
      expect(all.body).toMatchObject({ total: 5, running: 1, success: 3, failed: 1, successRate: 0.75 })
      for (
        const key of ["averageDuration", "minDuration", "maxDuration", "p50Duration", "p95Duration", "p99Duration"]
      ) {
        expect(all.body[key], key).toEqual(expect.any(Number))
      }
      const one = yield* send(base, "GET", "/tasks/metrics?task=works")
      expect(one.body).toMatchObject({ total: 3, success: 3, successRate: 1 })
    }).pipe(Effect.provide(tasks())))
})

describe("GET /tasks/{id}", () => {
  it.scopedLive("shows a task with its log as lines where logs are shown, arguments hidden", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(withLogs))
      const { taskId } = yield* Works.enqueue({ n: 21, token: Redacted.make("payload-secret") })
      yield* awaitStatus(taskId, "success")
      const { body, status } = yield* send(base, "GET", `/tasks/${taskId}`)
      expect(status).toBe(200)
      expect(body.logs).toEqual([
        expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d working$/),
        expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d nearly there$/)
      ])
      expect(body).not.toHaveProperty("payload")
      expect(body).not.toHaveProperty("result")
      expect(body.hidden).toEqual(["payload", "result"])
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("hides payload, result and log lines unless they are to be shown", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const { taskId } = yield* Works.enqueue({ n: 21 })
      yield* awaitStatus(taskId, "success")
      const { body } = yield* send(base, "GET", `/tasks/${taskId}`)
      expect(body).toMatchObject({ logs: [], hidden: ["payload", "result", "logs"] })
      const lines = yield* send(base, "GET", `/tasks/${taskId}/logs`)
      expect(lines.body).toEqual({ items: [], nextAfter: 0, hidden: true })
      const all = `${body.text}${lines.text}`
      expect(all).not.toContain("working")
      expect(all).not.toContain("nearly")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("shows payload and result with displayArguments, secrets replaced, strangers hidden", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({ ...open, displayArguments: true }))
      const { taskId } = yield* Works.enqueue({ n: 21, token: Redacted.make("payload-secret") })
      yield* awaitStatus(taskId, "success")
      const works = yield* send(base, "GET", `/tasks/${taskId}`)
      expect(works.body.payload).toEqual({ n: 21, token: "<redacted>" })
      expect(works.body.result).toEqual({ doubled: 42, key: "<redacted>" })
      expect(works.text).not.toContain("secret")

      const orphan = yield* Orphan.enqueue({ note: "not for you" })
      const stranger = yield* send(base, "GET", `/tasks/${orphan.taskId}`)
      expect(stranger.body.status).toBe("pending")
      expect(stranger.text).not.toContain("not for you")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("answers 404 for an id that was never given, and for text that is none", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(withLogs))
      for (const id of ["01890a5d-ac96-774b-bcce-b302099a8057", "nope"]) {
        for (
          const [method, path] of [["GET", ""], ["GET", "/logs"], ["GET", "/attempts"], ["POST", "/retry"], [
            "POST",
            "/cancel"
          ]]
        ) {
          const { body, status } = yield* send(base, method!, `/tasks/${id}${path}`)
          expect(status).toBe(404)
          expect(body).toEqual({ _tag: "TaskNotFound", message: expect.stringContaining(id), taskId: id })
        }
      }
    }).pipe(Effect.provide(tasks())))
})

describe("GET /tasks/{id}/logs and /attempts", () => {
  it.scopedLive("gives structured lines that can be followed", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(withLogs))
      const { taskId } = yield* Works.enqueue({ n: 1 })
      yield* awaitStatus(taskId, "success")
      const first = yield* send(base, "GET", `/tasks/${taskId}/logs?limit=1`)
      expect(first.body).toEqual({
        items: [{
          sequence: 1,
          attempt: 1,
          at: expect.stringMatching(iso),
          level: "info",
          message: "working",
          annotations: {}
        }],
        nextAfter: 1,
        hidden: false
      })
      const rest = yield* send(base, "GET", `/tasks/${taskId}/logs?after=${first.body.nextAfter}`)
      expect(rest.body.items).toEqual([expect.objectContaining({ level: "warning", annotations: { n: 1 } })])
      const none = yield* send(base, "GET", `/tasks/${taskId}/logs?after=${rest.body.nextAfter}`)
      expect(none.body).toEqual({ items: [], nextAfter: 2, hidden: false })
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("shows the newest thousand lines with the task, and all of them page by page", () => {
    const Talks = Task.make("talks")
    const talking = Talks.toLayer(() =>
      Effect.forEach(Array.from({ length: 1_500 }), (_, i) => TaskLog.info(`line ${i + 1}`), { discard: true })
    ).pipe(Layer.provide(Logger.remove(Logger.defaultLogger)))
    return Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(withLogs))
      const { taskId } = yield* Talks.enqueue()
      yield* awaitStatus(taskId, "success")
      const { body } = yield* send(base, "GET", `/tasks/${taskId}`)
      expect(body.logs).toHaveLength(1_000)
      expect(body.logs[0]).toMatch(/ line 501$/)
      expect(body.logs[999]).toMatch(/ line 1500$/)
      const first = yield* send(base, "GET", `/tasks/${taskId}/logs`)
      const rest = yield* send(base, "GET", `/tasks/${taskId}/logs?after=${first.body.nextAfter}`)
      expect([...first.body.items, ...rest.body.items].map(({ message }: any) => message)).toEqual(
        Array.from({ length: 1_500 }, (_, i) => `line ${i + 1}`)
      )
    }).pipe(Effect.provide(Layer.provideMerge(talking, engine({ logs: { maxLines: 2_000 } }))))
  })

  it.scopedLive("tells every attempt once, the last one too", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(withLogs))
      const { taskId } = yield* Flaky.enqueue()
      yield* awaitStatus(taskId, "failed")
      const { body } = yield* send(base, "GET", `/tasks/${taskId}/attempts`)
      expect(body.items).toHaveLength(2)
      for (const [index, attempt] of body.items.entries()) {
        expect(attempt).toMatchObject({ attempt: index + 1, outcome: "failed", duration: expect.any(Number) })
        expect(attempt.error).toContain("flaky")
      }
      const logs = yield* send(base, "GET", `/tasks/${taskId}`)
      expect(logs.body.logs).toEqual([expect.stringMatching(/ --- Retry 1 ---$/)])

      const running = yield* Hangs.enqueue({ note: "x" })
      yield* awaitStatus(running.taskId, "running")
      const live = yield* send(base, "GET", `/tasks/${running.taskId}/attempts`)
      expect(live.body.items).toEqual([expect.objectContaining({ attempt: 1, outcome: "running", endedAt: null })])
    }).pipe(Effect.provide(tasks())))
})

describe("POST /tasks/{id}/retry", () => {
  it.scopedLive("makes a new task once; later calls and wrong statuses are refused with the reason", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const failed = yield* Fails.enqueue(undefined, { tags: { tenant: "acme" } })
      yield* awaitStatus(failed.taskId, "failed")
      const retried = yield* send(base, "POST", `/tasks/${failed.taskId}/retry`)
      expect(retried.status).toBe(200)
      expect(retried.body.taskId).not.toBe(failed.taskId)
      expect(retried.body.task).toMatchObject({
        taskId: retried.body.taskId,
        retryOf: failed.taskId,
        priority: 7,
        tags: { tenant: "acme" }
      })
      const again = yield* send(base, "POST", `/tasks/${failed.taskId}/retry`)
      expect(again.status).toBe(409)
      expect(again.body).toMatchObject({ _tag: "TaskAlreadyRetried", retriedAs: retried.body.taskId })

      const running = yield* Hangs.enqueue({ note: "x" })
      yield* awaitStatus(running.taskId, "running")
      const wrong = yield* send(base, "POST", `/tasks/${running.taskId}/retry`)
      expect(wrong.status).toBe(400)
      expect(wrong.body).toEqual({
        _tag: "TaskWrongStatus",
        message: `task ${running.taskId} is running: only failed, interrupted or cancelled tasks can be retried`,
        taskId: running.taskId,
        action: "retry",
        status: "running"
      })
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("answers 409 without a handler, and while another task holds the key", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const orphan = yield* Orphan.enqueue({ note: "x" })
      expect((yield* send(base, "POST", `/tasks/${orphan.taskId}/cancel`)).status).toBe(200)
      const unregistered = yield* send(base, "POST", `/tasks/${orphan.taskId}/retry`)
      expect(unregistered.status).toBe(409)
      expect(unregistered.body).toMatchObject({ _tag: "TaskNotRegistered", task: "orphan" })

      const first = yield* Hangs.enqueue({ note: "1" }, { idempotencyKey: "k", delay: "1 hour" })
      expect((yield* send(base, "POST", `/tasks/${first.taskId}/cancel`)).status).toBe(200)
      const second = yield* Hangs.enqueue({ note: "2" }, { idempotencyKey: "k" })
      const held = yield* send(base, "POST", `/tasks/${first.taskId}/retry`)
      expect(held.status).toBe(409)
      expect(held.body).toMatchObject({ _tag: "TaskKeyHeld", heldBy: second.taskId })
    }).pipe(Effect.provide(tasks())))
})

describe("POST /tasks/{id}/cancel", () => {
  it.scopedLive("cancels what waits at once, asks what runs, refuses what ended", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const waiting = yield* Hangs.enqueue({ note: "x" }, { delay: "1 hour" })
      const atOnce = yield* send(base, "POST", `/tasks/${waiting.taskId}/cancel`)
      expect(atOnce.status).toBe(200)
      expect(atOnce.body).toMatchObject({ outcome: "cancelled", taskId: waiting.taskId, task: { status: "cancelled" } })

      const running = yield* Hangs.enqueue({ note: "x" })
      yield* awaitStatus(running.taskId, "running")
      const asked = yield* send(base, "POST", `/tasks/${running.taskId}/cancel`)
      expect(asked.status).toBe(202)
      expect(asked.body).toMatchObject({ outcome: "requested", taskId: running.taskId })
      yield* awaitStatus(running.taskId, "cancelled")

      const late = yield* send(base, "POST", `/tasks/${running.taskId}/cancel`)
      expect(late.status).toBe(400)
      expect(late.body).toMatchObject({ _tag: "TaskWrongStatus", action: "cancel", status: "cancelled" })
    }).pipe(Effect.provide(tasks())))
})

describe("a backend that fails", () => {
  const broken = wrappedBackend(() => {
    const fail = (method: string) => () =>
      Effect.fail(new TaskBackendError({ method, cause: new Error("password=hunter2 refused at db.internal") }))
    return { list: fail("list"), stats: fail("stats"), get: fail("get"), cancel: fail("cancel") }
  })

  it.scopedLive("answers 503 without the cause, which is logged", () => {
    const logs = collectedLogs()
    return Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const id = "01890a5d-ac96-774b-bcce-b302099a8057"
      for (
        const [method, path] of [
          ["GET", "/tasks"],
          ["GET", "/tasks/metrics"],
          ["GET", `/tasks/${id}`],
          ["GET", `/tasks/${id}/logs`],
          ["GET", `/tasks/${id}/attempts`],
          ["POST", `/tasks/${id}/retry`],
          ["POST", `/tasks/${id}/cancel`]
        ]
      ) {
        const { body, status, text } = yield* send(base, method!, path!)
        expect(status, path).toBe(503)
        expect(body).toEqual({ _tag: "TaskBackendError", message: expect.stringContaining("not available") })
        expect(text).not.toContain("hunter2")
      }
      expect(logs.lines.filter(({ level, message }) => level === "Error" && message.includes("503"))).toHaveLength(7)
    }).pipe(Effect.provide(tasks(broken)), Effect.provide(logs.layer))
  })
})

describe("the API as a value", () => {
  it.scopedLive("serves its OpenAPI document with every path, refusal and the prefix", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const { body, status } = yield* send(base, "GET", "/tasks/openapi.json")
      expect(status).toBe(200)
      expect(body.openapi).toMatch(/^3\./)
      expect(body.info).toEqual({ title: "Background tasks", version, license: { name: "MIT" } })
      // An id may stand once in a document, and Effect gives the same one to every `Schema.Unknown`.
      expect(JSON.stringify(body).match(/"\$id":"[^"]*"/g)).toBe(null)
      expect(Object.keys(body.paths)).toEqual(expect.arrayContaining(["/tasks", "/tasks/{id}", "/tasks/audit"]))
      expect(Object.keys(body.paths).every((path) => path === "/tasks" || path.startsWith("/tasks/"))).toBe(true)
      expect(Object.keys(body.paths["/tasks/{id}/cancel"].post.responses).sort()).toEqual([
        "200",
        "202",
        "400",
        "401",
        "403",
        "404",
        "408",
        "413",
        "414",
        "415",
        "429",
        "500",
        "503"
      ])
      expect(Object.keys(body.paths["/tasks/{id}/retry"].post.responses)).toContain("409")
      const parameters = body.paths["/tasks"].get.parameters.map(({ name }: any) => name)
      expect(parameters).toEqual([
        "status",
        "task",
        "tag",
        "source",
        "priority",
        "schedule",
        "group",
        "since",
        "until",
        "q",
        "sort",
        "order",
        "limit",
        "cursor"
      ])
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("gives a typed client, which fails with the engine's own errors", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer(open))
      const client = yield* HttpApiClient.make(TaskApi.make(), { baseUrl: base })
      const { taskId } = yield* Works.enqueue({ n: 2 })
      yield* awaitStatus(taskId, "success")
      const page = yield* client.tasks.list({
        urlParams: { status: ["success", "failed"], tag: ["parity", "even"], since: 0, limit: 10 }
      })
      expect(page.items.map((item) => item.taskId)).toEqual([taskId])
      const error = yield* Effect.flip(client.tasks.retry({ path: { id: taskId }, payload: {} }))
      expect(error).toBeInstanceOf(TaskWrongStatus)
      const missing = yield* Effect.flip(client.tasks.get({ path: { id: "nope" } }))
      expect(missing).toMatchObject({ _tag: "TaskNotFound", taskId: "nope" })
    }).pipe(Effect.provide(Layer.merge(tasks(), FetchHttpClient.layer))))
})
