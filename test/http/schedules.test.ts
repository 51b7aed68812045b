/** What is served of schedules: when and what, what came of it, and who may see its payload. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted, Schedule } from "effect"
import { MemoryBackend, TaskBackend, TaskBackendError, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import * as ScheduleSpec from "../../src/internal/scheduleSpec.js"
import { cipher, key } from "../support/cipher.js"
import { Orphan, post, send, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const open = TaskHttp.layer({ auth: TaskAuth.open, displayArguments: true })

const upsert = TaskManager.pipe(
  Effect.flatMap(({ schedules }) =>
    schedules.upsert(Works, {
      name: "nightly",
      cron: "0 3 * * *",
      timezone: "Europe/Rome",
      payload: { n: 4, token: Redacted.make("payload-secret") },
      misfire: "all",
      maxCatchUp: 7,
      overlap: "skip",
      priority: 3,
      tags: { plan: "pro", apiKey: "tag-secret" }
    })
  )
)

const audited = (base: string) =>
  Effect.map(
    send(base, "GET", "/tasks/audit"),
    ({ body }) => body.items.map(({ action, outcome, target }: any) => [action, target, outcome])
  )

describe("schedules over HTTP", () => {
  it.scopedLive("are shown with when and what, and no secret of their payload and tags", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      yield* upsert
      const { body } = yield* send(base, "GET", "/tasks/schedules/nightly")
      expect(body).toEqual({
        name: "nightly",
        taskName: "works",
        origin: "dynamic",
        trigger: { cron: "0 3 * * *", timezone: "Europe/Rome" },
        when: "0 3 * * * (Europe/Rome)",
        words: "every day at 03:00",
        misfire: "all",
        maxCatchUp: 7,
        overlap: "skip",
        runOnStartup: false,
        priority: 3,
        tags: { parity: "even", plan: "pro", apiKey: "<redacted>" },
        executor: "fiber",
        problem: null,
        nextSlot: body.nextSlots[0],
        nextSlots: expect.any(Array),
        lastSlot: null,
        lastTask: null,
        lastStatus: null,
        lastDuration: null,
        definedAt: expect.stringMatching(/Z$/),
        seenAt: expect.stringMatching(/Z$/),
        pausedAt: null,
        retiredAt: null,
        payload: { n: 4, token: "<redacted>" },
        hidden: []
      })
      const inRome = new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Rome", timeStyle: "short" })
      expect(body.nextSlots.map((slot: string) => inRome.format(new Date(slot)))).toEqual(Array(5).fill("03:00"))
      expect((yield* send(base, "GET", "/tasks/schedules")).body.items).toEqual([body])
      expect((yield* send(base, "GET", "/tasks/definitions/works")).body.schedules).toEqual(["nightly"])
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("are run by hand, with what came of it, and forgotten", () =>
    Effect.gen(function*() {
      const base = yield* serve(open)
      yield* upsert
      yield* post(base, "/tasks/schedules/nightly/pause")
      const { body: paused } = yield* send(base, "GET", "/tasks/schedules/nightly")
      expect([paused.nextSlot, paused.nextSlots.length]).toEqual([null, 5])
      const ran = yield* post(base, "/tasks/schedules/nightly/trigger")
      expect([ran.status, ran.body]).toEqual([201, { outcome: "enqueued", taskId: expect.any(String) }])
      const { taskId } = ran.body
      yield* awaitStatus(taskId, "success")
      const { body: runs } = yield* send(base, "GET", "/tasks/schedules/nightly/runs?limit=2")
      expect(runs.items).toEqual([{
        taskId,
        slot: expect.stringMatching(/Z$/),
        source: "manual",
        status: "success",
        createdAt: expect.stringMatching(/Z$/),
        startedAt: expect.stringMatching(/Z$/),
        endedAt: expect.stringMatching(/Z$/),
        duration: expect.any(Number)
      }])
      expect((yield* send(base, "GET", "/tasks?schedule=nightly")).body.items).toHaveLength(1)
      expect((yield* send(base, "GET", "/tasks/schedules/nightly/runs?limit=201")).status).toBe(400)
      const removed = yield* post(base, "/tasks/schedules/nightly", undefined, {}, "DELETE")
      expect([removed.status, removed.body]).toEqual([200, { schedule: "nightly" }])
      // Its tasks outlive it.
      expect((yield* send(base, "GET", "/tasks/schedules/nightly/runs")).body.items).toHaveLength(1)
      for (const [method, what] of [["GET", ""], ["GET", "/runs"], ["POST", "/trigger"], ["DELETE", ""]] as const) {
        const nothing = yield* post(base, `/tasks/schedules/nothing${what}`, undefined, {}, method)
        expect([nothing.status, nothing.body]).toMatchObject([404, { _tag: "ScheduleNotFound", schedule: "nothing" }])
      }
      expect(yield* audited(base)).toEqual([
        ["schedule.remove", "nothing", "ScheduleNotFound"],
        ["schedule.trigger", "nothing", "ScheduleNotFound"],
        ["schedule.remove", "nightly", "done"],
        ["schedule.trigger", "nightly", "done"],
        ["schedule.pause", "nightly", "done"]
      ])
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("say how the latest task of them ended, and that one is retired", () =>
    Effect.gen(function*() {
      const backend = yield* MemoryBackend.make()
      yield* Effect.gen(function*() {
        const base = yield* serve(open)
        const { schedules } = yield* TaskManager
        yield* schedules.upsert(Works, { name: "often", every: "100 millis", payload: { n: 1 } })
        const ended = Effect.flatMap(send(base, "GET", "/tasks/schedules/often"), ({ body }) =>
          body.lastStatus === "success"
            ? Effect.succeed(body)
            : Effect.fail("not yet")).pipe(Effect.retry({ times: 500, schedule: Schedule.spaced("5 millis") }))
        expect(yield* ended).toMatchObject({
          trigger: { every: 100 },
          when: "every 100 milliseconds",
          lastSlot: expect.stringMatching(/Z$/),
          lastDuration: expect.any(Number)
        })
        yield* backend.schedules.retire("often", Date.now())
        const { body } = yield* send(base, "GET", "/tasks/schedules/often")
        expect(body).toMatchObject({ retiredAt: expect.stringMatching(/Z$/), nextSlot: null, nextSlots: [] })
        expect((yield* post(base, "/tasks/schedules/often/trigger")).body).toMatchObject({ _tag: "ScheduleNotFound" })
      }).pipe(Effect.provide(tasks(Layer.succeed(TaskBackend, backend))))
    }))

  it.scopedLive("that were paused are audited as such, also when how it is then cannot be read", () =>
    Effect.gen(function*() {
      const backend = yield* MemoryBackend.make()
      let down = false
      const failing: typeof backend = {
        ...backend,
        get: (id) => down ? Effect.fail(new TaskBackendError({ method: "get", cause: "down" })) : backend.get(id)
      }
      yield* Effect.gen(function*() {
        const base = yield* serve(open)
        const { schedules } = yield* TaskManager
        yield* schedules.upsert(Works, { name: "often", every: "50 millis", payload: { n: 1 } })
        const fired = Effect.filterOrFail(schedules.get("often"), (info) => info?.lastTask != null)
        yield* Effect.retry(fired, { times: 500, schedule: Schedule.spaced("5 millis") })
        down = true
        expect((yield* post(base, "/tasks/schedules/often/pause")).status).toBe(503)
        expect((yield* schedules.get("often"))!.pausedAt).not.toBe(null)
        expect(yield* audited(base)).toEqual([["schedule.pause", "often", "done"]])
      }).pipe(Effect.provide(tasks(Layer.succeed(TaskBackend, failing))))
    }))

  it.scopedLive("show a payload only to those who may see arguments, and where its secrets are known", () =>
    Effect.gen(function*() {
      const routes = TaskHttp.layer({
        displayArguments: true,
        auth: TaskAuth.bearer({
          tokens: ([["reader", "viewer"], ["blind", ["schedules"]]] as const).map(([name, access]) => ({
            name,
            access,
            token: Redacted.make(`token-of-${name}-0123456789`)
          }))
        })
      })
      const base = yield* serve(routes)
      const closed = yield* serve(TaskHttp.layer({ auth: TaskAuth.open }))
      yield* upsert
      yield* Effect.flatMap(
        TaskManager,
        ({ schedules }) =>
          schedules.upsert(Orphan, { name: "elsewhere", every: "1 hour", payload: { note: "payload-secret" } })
      )
      const seen = (name: string, path: string) =>
        Effect.map(
          send(base, "GET", `/tasks/schedules/${path}`, { authorization: `Bearer token-of-${name}-0123456789` }),
          ({ body }) => [body.payload, body.hidden]
        )
      const hidden = [undefined, ["payload"]]
      expect(yield* seen("reader", "nightly")).toEqual([{ n: 4, token: "<redacted>" }, []])
      expect(yield* seen("blind", "nightly")).toEqual(hidden)
      expect(yield* seen("reader", "elsewhere")).toEqual(hidden)
      const { body, text } = yield* send(closed, "GET", "/tasks/schedules/nightly")
      expect([body.payload, body.hidden]).toEqual(hidden)
      expect(text).not.toContain("payload-secret")
    }).pipe(Effect.provide(tasks())))

  it.scopedLive("that cannot be read here are shown as such, and run by nobody", () =>
    Effect.gen(function*() {
      const store = yield* MemoryBackend.make()
      const inner = Layer.succeed(TaskBackend, store)
      yield* Effect.provide(upsert, tasks(Layer.provide(cipher({ keys: [key("k1")] }), inner)))
      const newer = JSON.stringify({ ...JSON.parse(ScheduleSpec.write({ tags: {} } as never)), version: 99 })
      yield* store.schedules.define(
        { name: "newer", taskName: "works", definition: "d", origin: "dynamic", anchor: 1, spec: newer },
        1
      )
      yield* Effect.gen(function*() {
        const base = yield* serve(open)
        for (const name of ["nightly", "newer"]) {
          const path = `/tasks/schedules/${name}`
          expect((yield* send(base, "GET", path)).body).toMatchObject({
            taskName: "works",
            trigger: null,
            when: null,
            tags: null,
            problem: expect.stringContaining("newer version wrote it, or it is encrypted"),
            nextSlot: null,
            nextSlots: [],
            hidden: ["payload"]
          })
          const refused = yield* post(base, `${path}/trigger`)
          expect([refused.status, refused.body]).toMatchObject([409, { _tag: "ScheduleUnreadable", schedule: name }])
        }
      }).pipe(Effect.provide(tasks(Layer.provide(cipher({ keys: [key("k2")] }), inner))))
    }))
})
