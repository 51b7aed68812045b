import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Redacted, TestClock } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { Fails, Hangs, Orphan, post, send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = TaskHttp.layer({ auth: TaskAuth.open, displayArguments: true })
const never = "01890a5d-ac96-774b-bcce-b302099a8057"

const failedOnes = (count: number) =>
  Effect.gen(function*() {
    const ids: Array<string> = []
    for (let n = 0; n < count; n += 1) ids.push((yield* Fails.enqueue()).taskId)
    for (const id of ids) yield* awaitStatus(id, "failed")
    return ids
  })

const auditOf = (base: string, action: string) =>
  Effect.map(send(base, "GET", `/tasks/audit?action=${action}`), ({ body }) => body.items)

describe("POST /tasks/bulk-retry", () => {
  it.scopedLive("retries by id, once each, and says why others were left alone", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const [first, second] = yield* failedOnes(2)
      const { taskId: works } = yield* Works.enqueue({ n: 1 })
      yield* awaitStatus(works, "success")
      const ids = [first, second, first, works, never, "nonsense"]
      const { body, status } = yield* post(base, "/tasks/bulk-retry", { ids })
      expect(status).toBe(200)
      expect(body).toMatchObject({ dispatched: 2, skipped: 3, dryRun: false, nextCursor: null })
      expect(body.reasons).toEqual(
        expect.arrayContaining([{ reason: "wrongStatus", count: 1 }, { reason: "notFound", count: 2 }])
      )
      expect(body.results.map(({ originalTaskId }: any) => originalTaskId)).toEqual([first, second])
      const again = yield* post(base, "/tasks/bulk-retry", { ids: [first, second] })
      expect(again.body).toMatchObject({
        dispatched: 0,
        skipped: 2,
        reasons: [{ reason: "alreadyRetried", count: 2 }],
        results: []
      })
      const { items } = yield* Effect.flatMap(TaskManager, (manager) => manager.list({ taskName: "fails" }))
      expect(items).toHaveLength(4)
      expect(yield* auditOf(base, "bulk_retry")).toEqual([
        expect.objectContaining({
          outcome: "done",
          parameters: expect.objectContaining({ dispatched: 0, skipped: 2 })
        }),
        expect.objectContaining({
          who: "anonymous",
          target: null,
          outcome: "done",
          parameters: {
            taskIds: [...new Set(ids)].length === 5 ? ids : [],
            tasks: 6,
            dryRun: false,
            dispatched: 2,
            skipped: 3
          }
        })
      ])
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("says in a dry run what would happen, and does nothing", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const ids = yield* failedOnes(3)
      const { taskId: hangs } = yield* Hangs.enqueue({ note: "x" })
      yield* awaitStatus(hangs, "running")
      const { body } = yield* post(base, "/tasks/bulk-retry?dryRun=true", { ids: [...ids, hangs, never] })
      expect(body).toMatchObject({ dispatched: 3, skipped: 2, results: [], dryRun: true })
      expect((yield* post(base, "/tasks/bulk-retry?dryRun", { filter: { status: ["failed"] } })).body).toMatchObject({
        dispatched: 3,
        skipped: 0
      })
      const { items } = yield* Effect.flatMap(TaskManager, (manager) => manager.list({ taskName: "fails" }))
      expect(items).toHaveLength(3)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("goes through what a filter shows page by page, each task once", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const ids = yield* failedOnes(5)
      const done: Array<string> = []
      const until = new Date(Date.now() + 60_000).toISOString()
      let cursor: string | null | undefined = undefined
      let calls = 0
      do {
        const { body }: any = yield* post(base, "/tasks/bulk-retry", {
          filter: { status: ["failed"], task: "fails", until },
          limit: 2,
          cursor: cursor ?? undefined
        })
        done.push(...body.results.map(({ originalTaskId }: any) => originalTaskId))
        cursor = body.nextCursor
        calls += 1
      } while (cursor !== null && calls < 20)
      expect(done.filter((id) => ids.includes(id)).sort()).toEqual(ids)
      expect(new Set(done).size).toBe(done.length)
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("refuses what is no selection, or too much of one", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      for (
        const body of [{}, { ids: "x" }, { ids: Array(1_001).fill(never) }, { filter: { status: ["broken"] } }, [], 3]
      ) {
        const { body: answer, status } = yield* post(base, "/tasks/bulk-retry", body)
        expect(status, JSON.stringify(body).slice(0, 80)).toBe(400)
        expect(answer._tag).toBe("HttpApiDecodeError")
      }
    }).pipe(Effect.provide(tasks())))
})

describe("POST /tasks/retry-failed", () => {
  it.scopedLive("covers failed and interrupted ones of the window, optionally of one task", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      yield* failedOnes(2)
      expect((yield* post(base, "/tasks/retry-failed?task=works")).body).toMatchObject({ dispatched: 0, skipped: 0 })
      expect((yield* post(base, "/tasks/retry-failed?since=1h&task=fails&dryRun=true")).body).toMatchObject({
        dispatched: 2
      })
      expect((yield* post(base, "/tasks/retry-failed?since=all")).body).toMatchObject({ dispatched: 2, skipped: 0 })
      for (const since of ["6", "h", "0h", "-1h", "6w", "99999999999999h", "1e3h", "", "6h6h"]) {
        const { body, status } = yield* post(base, `/tasks/retry-failed?since=${since}`)
        expect(status, since).toBe(400)
        expect(body.message, since).toContain("<N>m, <N>h, <N>d or all is expected")
      }
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("runs one failure once however often the window is replayed", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const [original] = yield* failedOnes(1)
      const manager = yield* TaskManager
      const newest = Effect.map(manager.list({ taskName: "fails", limit: 1 }), ({ items }) => items[0]!)
      for (let round = 1; round <= 5; round += 1) {
        const { body } = yield* post(base, "/tasks/retry-failed")
        // The retry of the last round failed too, and is the only one that was not retried yet.
        expect(body.dispatched).toBe(1)
        yield* awaitStatus((yield* newest).taskId, "failed")
      }
      expect((yield* manager.list({ taskName: "fails" })).items).toHaveLength(6)
      expect((yield* manager.get(original!)).retriedAs).not.toBe(null)
    }).pipe(Effect.provide(tasks())))
})

describe("POST /tasks/bulk-cancel", () => {
  it.scopedLive("cancels what waits, asks what runs, leaves what ended", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const { taskId: running } = yield* Hangs.enqueue({ note: "x" })
      yield* awaitStatus(running, "running")
      const { taskId: waiting } = yield* Orphan.enqueue({ note: "x" })
      const { taskId: works } = yield* Works.enqueue({ n: 1 })
      yield* awaitStatus(works, "success")
      const ids = [running, waiting, works]
      expect((yield* post(base, "/tasks/bulk-cancel?dryRun=1", { ids })).body).toMatchObject({
        cancelled: 1,
        requested: 1,
        skipped: 1,
        dryRun: true
      })
      expect((yield* post(base, "/tasks/bulk-cancel", { ids })).body).toMatchObject({
        cancelled: 1,
        requested: 1,
        skipped: 1,
        reasons: [{ reason: "wrongStatus", count: 1 }]
      })
      yield* awaitStatus(running, "cancelled")
      yield* awaitStatus(waiting, "cancelled")
    }).pipe(Effect.provide(tasks())))
})

describe("DELETE /tasks/history", () => {
  it.scoped("removes what ended longer ago than asked, and nothing that has not ended", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const [old] = yield* failedOnes(1)
      const { taskId: hangs } = yield* Hangs.enqueue({ note: "x" })
      yield* awaitStatus(hangs, "running")
      yield* TestClock.adjust("2 hours")
      const { taskId: young } = yield* Works.enqueue({ n: 1 })
      yield* awaitStatus(young, "success")
      const clear = (query: string) => post(base, `/tasks/history${query}`, undefined, {}, "DELETE")
      expect((yield* clear("?value=3&unit=hour")).body).toEqual({ deleted: 0, complete: true, dryRun: false })
      const would = yield* clear("?value=60&unit=min&dryRun=true")
      expect(would.body).toEqual({ deleted: 1, complete: true, dryRun: true })
      expect((yield* send(base, "GET", `/tasks/${old}`)).status).toBe(200)
      expect((yield* clear("?value=60&unit=min")).body).toEqual({ deleted: 1, complete: true, dryRun: false })
      expect((yield* send(base, "GET", `/tasks/${old}`)).status).toBe(404)
      expect((yield* send(base, "GET", `/tasks/${young}`)).status).toBe(200)
      expect((yield* send(base, "GET", `/tasks/${hangs}`)).status).toBe(200)
      for (
        const query of ["", "?value=1", "?unit=day", "?value=0&unit=day", "?value=1&unit=week", "?value=1e99&unit=day"]
      ) {
        expect((yield* clear(query)).status, query).toBe(400)
      }
      expect(yield* auditOf(base, "delete_history")).toEqual([
        expect.objectContaining({ parameters: { value: 60, unit: "min", dryRun: false, deleted: 1 } }),
        expect.objectContaining({ parameters: { value: 60, unit: "min", dryRun: true, deleted: 1 } }),
        expect.objectContaining({ parameters: { value: 3, unit: "hour", dryRun: false, deleted: 0 } })
      ])
    }).pipe(Effect.provide(tasks())))
})

describe("POST /tasks/definitions/{name}/enqueue", () => {
  it.scopedLive("accepts JSON in the payload's encoded form", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const path = "/tasks/definitions/works/enqueue"
      const { body, status } = yield* post(base, path, {
        payload: { n: 21, token: "payload-secret" },
        tags: { tenant: "acme" },
        priority: 3,
        idempotencyKey: "once"
      })
      expect(status).toBe(201)
      expect(body).toEqual({ outcome: "enqueued", taskId: expect.any(String) })
      const record = yield* awaitStatus(body.taskId, "success")
      expect(record).toMatchObject({ tags: { parity: "odd", tenant: "acme" }, priority: 3, idempotencyKey: "once" })
      expect(JSON.parse(record.result!)).toMatchObject({ doubled: 42 })
      const again = yield* post(base, path, { payload: { n: 1 }, idempotencyKey: "once" })
      expect(again.status).toBe(200)
      expect(again.body).toEqual({ outcome: "deduplicated", taskId: body.taskId })
      const later = yield* post(base, path, { payload: { n: 1 }, delay: 60_000 })
      expect((yield* send(base, "GET", `/tasks/${later.body.taskId}`)).body).toMatchObject({
        status: "pending",
        runAt: expect.any(String)
      })
      const entries = yield* auditOf(base, "enqueue")
      expect(entries).toHaveLength(3)
      expect(JSON.stringify(entries)).not.toContain("secret")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("says where a payload does not fit without showing secrets, and who nobody handles", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const wrong = yield* post(base, "/tasks/definitions/works/enqueue", { payload: { n: "x" } })
      expect(wrong.status).toBe(400)
      expect(wrong.body).toMatchObject({ _tag: "TaskArgumentError", task: "works", path: "n" })
      const secret = yield* post(base, "/tasks/definitions/works/enqueue", {
        payload: { n: 1, token: { a: "hidden-1" } }
      })
      expect(secret.status).toBe(400)
      expect(secret.text).not.toContain("hidden-1")
      for (const more of [{ priority: 1.5 }, { delay: -1 }, { tags: { a: 1 } }, { idempotencyKey: "" }]) {
        expect((yield* post(base, "/tasks/definitions/works/enqueue", { payload: { n: 1 }, ...more })).status).toBe(400)
      }
      const nobody = yield* post(base, "/tasks/definitions/orphan/enqueue", { payload: { note: "x" } })
      expect(nobody.status).toBe(409)
      expect(nobody.body._tag).toBe("TaskNotRegistered")
      expect((yield* send(base, "GET", "/tasks")).body.items).toEqual([])
    }).pipe(Effect.provide(tasks())))
})

describe("pausing over HTTP", () => {
  it.scopedLive("pauses one name and everything, says who did, and resumes", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      expect((yield* post(base, "/tasks/definitions/works/pause")).body).toEqual({ outcome: "paused" })
      expect((yield* post(base, "/tasks/definitions/works/pause")).body).toEqual({ outcome: "alreadyPaused" })
      const { taskId } = yield* Works.enqueue({ n: 1 })
      const paused = yield* send(base, "GET", "/tasks/pauses")
      expect(paused.body).toMatchObject({ items: [{ taskName: "works", by: "anonymous" }], awaiting: [] })
      expect((yield* send(base, "GET", "/tasks/definitions/works")).body.paused).toBe(true)
      expect((yield* send(base, "GET", "/tasks/definitions/fails")).body.paused).toBe(false)
      expect((yield* send(base, "GET", `/tasks/${taskId}`)).body.status).toBe("pending")
      expect((yield* post(base, "/tasks/pause")).body).toEqual({ outcome: "paused" })
      expect((yield* send(base, "GET", "/tasks/definitions/fails")).body.paused).toBe(true)
      expect((yield* post(base, "/tasks/definitions/works/resume")).body).toEqual({ outcome: "resumed" })
      expect((yield* post(base, "/tasks/resume")).body).toEqual({ outcome: "resumed" })
      expect((yield* post(base, "/tasks/resume")).body).toEqual({ outcome: "notPaused" })
      yield* awaitStatus(taskId, "success")
      expect((yield* auditOf(base, "definition.pause")).map(({ target }: any) => target)).toEqual(["works", "works"])
    }).pipe(Effect.provide(tasks())))
})

describe("what is written down", () => {
  it.scoped("names who, when, what, to what and how it went, also what was refused by the engine", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const now = yield* Clock.currentTimeMillis
      const { taskId } = yield* Works.enqueue({ n: 1, token: Redacted.make("payload-secret") })
      yield* awaitStatus(taskId, "success")
      yield* post(base, `/tasks/${taskId}/retry`)
      const { body } = yield* send(base, "GET", "/tasks/audit")
      expect(body).toEqual({
        items: [{
          id: expect.any(String),
          at: new Date(now).toISOString(),
          who: "anonymous",
          action: "retry",
          target: taskId,
          parameters: {},
          outcome: "TaskWrongStatus"
        }],
        nextCursor: null
      })
    }).pipe(Effect.provide(tasks())))

  it.scoped("is bounded, whatever was asked and refused", () =>
    Effect.gen(function*() {
      const base = yield* serve(TaskHttp.layer({
        auth: TaskAuth.bearer({
          tokens: [{ name: "looks", token: Redacted.make("0123456789abcdef"), access: "viewer" }]
        })
      }))
      const filter = {
        status: Array.from({ length: 3_000 }, () => "failed"),
        tag: `name:${"x".repeat(20_000)}`,
        q: "error:timeout"
      }
      const looks = { authorization: "Bearer 0123456789abcdef" }
      expect((yield* post(base, "/tasks/bulk-retry", { filter }, looks)).status).toBe(403)
      const { items } = yield* (yield* TaskManager).audit.page({})
      expect(items).toHaveLength(1)
      expect(items[0]!.parameters.length).toBeLessThan(2_500)
      expect(JSON.parse(items[0]!.parameters)).toMatchObject({ filter: { q: "error:timeout" }, dryRun: false })
    }).pipe(Effect.provide(tasks())))
})
