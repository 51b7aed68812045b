import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { MemoryBackend, TaskBackend, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { Fails, Flaky, post, send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = TaskHttp.layer({ auth: TaskAuth.open })

describe("GET /tasks/instances", () => {
  it.scopedLive("shows each instance, and drains one", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const { instance } = yield* TaskManager
      const one = Effect.map(send(base, "GET", "/tasks/instances"), ({ body }) => {
        expect(body.items).toHaveLength(1)
        return body.items[0]
      })
      expect(yield* one).toMatchObject({
        instance,
        answering: true,
        host: expect.any(String),
        pid: process.pid,
        state: "live",
        draining: false,
        versions: { app: null, taskflow: expect.any(String) }
      })
      expect((yield* post(base, `/tasks/instances/${instance}/drain`)).body).toEqual({ instance, draining: true })
      expect((yield* one).draining).toBe(true)
      expect((yield* post(base, `/tasks/instances/${instance}/undrain`)).body).toEqual({ instance, draining: false })
      expect((yield* one).draining).toBe(false)
      const nobody = yield* post(base, "/tasks/instances/nobody/drain")
      expect(nobody.status).toBe(404)
      expect(nobody.body).toMatchObject({ _tag: "InstanceNotFound", instance: "nobody" })
      const { body } = yield* send(base, "GET", "/tasks/audit")
      expect(body.items.map(({ action, outcome, target }: any) => [action, target, outcome])).toEqual([
        ["instance.drain", "nobody", "InstanceNotFound"],
        ["instance.undrain", instance, "done"],
        ["instance.drain", instance, "done"]
      ])
    }).pipe(Effect.provide(tasks())))
})

describe("GET /tasks/definitions", () => {
  it.scopedLive("shows how tasks are defined, with a JSON Schema of their payloads", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      const { body } = yield* send(base, "GET", "/tasks/definitions")
      expect(body.items.map(({ taskName }: any) => taskName)).toEqual(["fails", "flaky", "hangs", "works"])
      const works = body.items.find(({ taskName }: any) => taskName === "works")
      expect(works.definition).toMatchObject({
        version: 1,
        priority: 0,
        concurrency: null,
        timeout: null,
        retry: { retries: 0, delay: 0, backoff: 1, maxDelay: null, jitter: false },
        requeueOnInterrupt: false,
        executor: "fiber",
        payloadSchema: { type: "object", required: ["n"] }
      })
      expect((yield* send(base, "GET", "/tasks/definitions/flaky")).body.definition.retry).toEqual({
        retries: 1,
        delay: 1,
        backoff: 1,
        maxDelay: null,
        jitter: false
      })
      const nobody = yield* send(base, "GET", "/tasks/definitions/a%20%2F%20b")
      expect(nobody.status).toBe(404)
      expect(nobody.body).toMatchObject({ _tag: "DefinitionNotFound", task: "a / b" })
    }).pipe(Effect.provide(tasks())))
})

describe("GET /tasks/errors", () => {
  it.scopedLive("groups failures, retries a group once, and hides it until it happens again", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      for (let n = 0; n < 3; n += 1) yield* awaitStatus((yield* Fails.enqueue()).taskId, "failed")
      yield* awaitStatus((yield* Flaky.enqueue()).taskId, "failed")
      const { body } = yield* send(base, "GET", "/tasks/errors?sort=count")
      expect(body.items).toHaveLength(2)
      const [group] = body.items
      expect(group).toMatchObject({
        taskName: "fails",
        count: 3,
        dismissed: 0,
        firstSeenAt: expect.stringMatching(/Z$/),
        sample: { kind: "error", name: "Declined", message: expect.stringContaining("no funds") }
      })
      const path = `/tasks/errors/${group.fingerprint}`
      expect((yield* send(base, "GET", path)).body).toEqual(group)
      expect((yield* send(base, "GET", "/tasks/errors?task=flaky")).body.items).toHaveLength(1)
      expect((yield* send(base, "GET", `/tasks?group=${group.fingerprint}`)).body.items).toHaveLength(3)
      expect((yield* post(base, `${path}/retry?dryRun=true`)).body).toMatchObject({ dispatched: 3 })
      const retried = yield* post(base, `${path}/retry`)
      expect(retried.body).toMatchObject({ dispatched: 3, skipped: 0 })
      for (const { newTaskId } of retried.body.results) yield* awaitStatus(newTaskId, "failed")
      expect((yield* send(base, "GET", path)).body.count).toBe(6)
      expect((yield* post(base, `${path}/dismiss`)).body).toEqual({ fingerprint: group.fingerprint })
      expect((yield* send(base, "GET", "/tasks/errors?task=fails")).body.items).toEqual([])
      expect((yield* send(base, "GET", "/tasks/errors?task=fails&dismissed=true")).body.items).toHaveLength(1)
      yield* awaitStatus((yield* Fails.enqueue()).taskId, "failed")
      expect((yield* send(base, "GET", "/tasks/errors?task=fails")).body.items).toHaveLength(1)
      for (const [method, what] of [["GET", ""], ["POST", "/retry"], ["POST", "/dismiss"]] as const) {
        const nothing = yield* post(base, `/tasks/errors/nothing${what}`, undefined, {}, method)
        expect(nothing.status).toBe(404)
        expect(nothing.body).toMatchObject({ _tag: "ErrorGroupNotFound", fingerprint: "nothing" })
      }
    }).pipe(Effect.provide(tasks())))
})

describe("GET /tasks/schedules", () => {
  it.scopedLive("shows what is kept of schedules, pauses and resumes them", () =>
    Effect.gen(function*() {
      const backend = yield* MemoryBackend.make()
      const at = 1_767_225_600_000
      for (const name of ["a", "b", "c"]) {
        yield* backend.schedules.define(
          { name, taskName: "works", definition: "d", origin: "code", anchor: at, spec: "{\"secret\":1}" },
          at
        )
      }
      yield* Effect.gen(function*() {
        const base = yield* serve(open)
        const first = yield* send(base, "GET", "/tasks/schedules?limit=2")
        expect(first.body.items).toHaveLength(2)
        const rest = yield* send(base, "GET", `/tasks/schedules?cursor=${encodeURIComponent(first.body.nextCursor)}`)
        expect([...first.body.items, ...rest.body.items].map(({ name }: any) => name).sort()).toEqual(["a", "b", "c"])
        expect(rest.body.nextCursor).toBe(null)
        const a = yield* send(base, "GET", "/tasks/schedules/a")
        expect(a.body).toMatchObject({
          name: "a",
          taskName: "works",
          origin: "code",
          lastSlot: null,
          lastTask: null,
          definedAt: "2026-01-01T00:00:00.000Z",
          seenAt: "2026-01-01T00:00:00.000Z",
          pausedAt: null,
          retiredAt: null
        })
        expect((yield* post(base, "/tasks/schedules/a/pause")).body.pausedAt).toMatch(/Z$/)
        expect((yield* post(base, "/tasks/schedules/a/resume")).body.pausedAt).toBe(null)
        for (const [method, what] of [["GET", ""], ["POST", "/pause"], ["POST", "/resume"]] as const) {
          const nothing = yield* post(base, `/tasks/schedules/nothing${what}`, undefined, {}, method)
          expect(nothing.status).toBe(404)
          expect(nothing.body).toMatchObject({ _tag: "ScheduleNotFound", schedule: "nothing" })
        }
      }).pipe(Effect.provide(tasks(Layer.succeed(TaskBackend, backend))))
    }))
})

describe("GET /tasks/audit", () => {
  it.scopedLive("is paged, newest first, and filtered", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      for (let n = 0; n < 5; n += 1) {
        const { taskId } = yield* Works.enqueue({ n })
        yield* awaitStatus(taskId, "success")
        yield* post(base, `/tasks/${taskId}/${n % 2 === 0 ? "cancel" : "retry"}`)
      }
      const seen: Array<string> = []
      let cursor: string | null = ""
      do {
        const from = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`
        const page: any = yield* send(base, "GET", `/tasks/audit?limit=2${from}`)
        expect(page.status, cursor).toBe(200)
        seen.push(...page.body.items.map(({ action }: any) => action))
        cursor = page.body.nextCursor
      } while (cursor !== null)
      expect(seen).toEqual(["cancel", "retry", "cancel", "retry", "cancel"])
      const of = (query: string) =>
        Effect.map(send(base, "GET", `/tasks/audit?${query}`), ({ body }) => body.items.length)
      expect(yield* of("action=retry")).toBe(2)
      expect(yield* of("who=anonymous")).toBe(5)
      expect(yield* of("who=ada")).toBe(0)
      expect(yield* of("until=2000-01-01")).toBe(0)
      expect(yield* of("since=2000-01-01")).toBe(5)
    }).pipe(Effect.provide(tasks())))
})

describe("the cursors of lists beside the tasks", () => {
  it.scopedLive("are opaque, and refused where they belong to another list or are none", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      for (const name of ["works", "fails"]) yield* post(base, `/tasks/definitions/${name}/pause`)
      const { nextCursor } = (yield* send(base, "GET", "/tasks/audit?limit=1")).body
      expect(nextCursor).toMatch(/^[\w-]+$/)
      const rest = yield* send(base, "GET", `/tasks/audit?limit=1&cursor=${nextCursor}`)
      expect(rest.body.items).toMatchObject([{ target: "works" }])
      for (const list of ["audit", "errors", "schedules"]) {
        expect(yield* send(base, "GET", `/tasks/${list}?cursor=nonsense`)).toMatchObject({
          status: 400,
          body: { _tag: "TaskCursorError", reason: "malformed" }
        })
        if (list === "audit") continue
        expect(yield* send(base, "GET", `/tasks/${list}?cursor=${nextCursor}`)).toMatchObject({
          status: 400,
          body: { _tag: "TaskCursorError", reason: "otherQuestion" }
        })
      }
    }).pipe(Effect.provide(tasks())))
})
