/** Every operation of the typed client: what it answers, and what it refuses, arrives as the types say. */
import { FetchHttpClient, HttpClient, HttpClientRequest } from "@effect/platform"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { TaskBackend, TaskManager } from "effect-taskflow"
import { TaskAuth, TaskHttp } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import * as MemoryBackend from "../../src/backend/MemoryBackend.js"
import { Fails, serve, tasks, Works } from "./support.js"

const { awaitStatus } = TaskflowTest
const credentials = { username: "ada", password: Redacted.make("pass") }
const auth = TaskAuth.users({
  users: [credentials, { username: "vera", password: Redacted.make("pass"), access: "viewer" }]
})

const world = Effect.gen(function*() {
  const backend = yield* MemoryBackend.make()
  const context = yield* Layer.build(tasks(Layer.succeed(TaskBackend, backend)))
  const baseUrl = yield* Effect.provide(serve(TaskHttp.layer({ auth, displayArguments: true })), context)
  const client = yield* TaskHttp.client({ baseUrl, credentials })
  return { backend, baseUrl, client, context }
}).pipe(Effect.provide(FetchHttpClient.layer))

const none = { urlParams: {} }
const of = (id: string) => ({ path: { id } })
const nowhere = "01890000-0000-7000-8000-000000000000"

/** Every `group.operation` of the client, and whether it was called. */
const operations = (client: object): Set<string> =>
  new Set(
    Object.entries(client).flatMap(([group, methods]) =>
      Object.keys(methods as object).map((method) => `${group}.${method}`)
    )
  )

/** The client, with what was called of it taken out of `left`. */
const recording = <A extends object>(client: A, left: Set<string>): A =>
  new Proxy(client, {
    get: (_, group: string) =>
      new Proxy(Reflect.get(client, group) as object, {
        get: (methods, method: string) => {
          left.delete(`${group}.${method}`)
          return Reflect.get(methods, method)
        }
      })
  })

describe("every operation of TaskHttp.client", () => {
  it.scopedLive("answers what its type says", () =>
    Effect.gen(function*() {
      const { client, context } = yield* world
      const left = operations(client)
      expect(left.size).toBeGreaterThan(40)
      const { auth, batches, bulk, charts, definitions, errors, exports, fleet, live, schedules, tasks } = recording(
        client,
        left
      )
      const ends = (id: string, status: "success" | "failed" | "running" | "cancelled") =>
        Effect.provide(awaitStatus(id, status), context)

      const enqueued = yield* definitions.enqueue({
        path: { name: "works" },
        payload: { payload: { n: 4 }, idempotencyKey: "once", tags: { plan: "pro" }, priority: 3, delay: 0 }
      })
      expect(enqueued.outcome).toBe("enqueued")
      expect(
        yield* definitions.enqueue({ path: { name: "works" }, payload: { payload: { n: 4 }, idempotencyKey: "once" } })
      )
        .toEqual({ outcome: "deduplicated", taskId: enqueued.taskId })
      const done = enqueued.taskId
      yield* ends(done, "success")
      const { taskId: failed } = yield* definitions.enqueue({ path: { name: "fails" }, payload: {} })
      yield* ends(failed, "failed")
      const { taskId: hung } = yield* definitions.enqueue({
        path: { name: "hangs" },
        payload: { payload: { note: "a" } }
      })
      yield* ends(hung, "running")

      const page = yield* tasks.list({
        urlParams: {
          status: ["success"],
          task: "works",
          tag: ["plan", "pro"],
          source: "manual",
          priority: 3,
          since: 0,
          until: Date.parse("2200-01-01T00:00:00Z"),
          sort: "created",
          limit: 1,
          q: "attempts:1"
        }
      })
      expect(page).toMatchObject({
        total: 1,
        complete: true,
        nextCursor: null,
        items: [{ taskId: done, v: expect.any(Number) }]
      })
      expect(yield* tasks.get(of(done))).toMatchObject({ payload: { n: 4 }, result: { doubled: 8 }, hidden: [] })
      expect(yield* tasks.logs({ ...of(done), urlParams: { after: 1, limit: 10 } }))
        .toMatchObject({ items: [{ message: "nearly there", annotations: { n: 4 } }], hidden: false })
      expect((yield* tasks.attempts(of(failed))).items).toMatchObject([{ attempt: 1, outcome: "failed" }])
      expect(yield* tasks.cancel(of(hung))).toMatchObject({ outcome: "requested", taskId: hung })
      yield* ends(hung, "cancelled")

      const [group] =
        (yield* errors.errors({ urlParams: { task: "fails", since: 60_000, sort: "count", limit: 5 } })).items
      const path = { fingerprint: group!.fingerprint }
      expect(yield* errors.error({ path })).toEqual(group)
      expect(yield* errors.retryGroup({ path, urlParams: { dryRun: true } })).toMatchObject({
        dispatched: 1,
        dryRun: true
      })
      expect(yield* errors.dismiss({ path })).toEqual(path)

      const again = yield* tasks.retry({ ...of(failed), payload: null })
      expect(again.task).toMatchObject({ taskId: again.taskId, retryOf: failed })
      yield* ends(again.taskId, "failed")
      const filter = { status: ["failed" as const], tag: undefined, priority: 7 }
      expect(yield* bulk.bulkRetry({ urlParams: { dryRun: true }, payload: { filter, limit: 10 } }))
        .toMatchObject({ dispatched: 1, skipped: 1, reasons: [{ reason: "alreadyRetried", count: 1 }] })
      expect(yield* bulk.retryFailed({ urlParams: { since: Number.POSITIVE_INFINITY, task: "fails" } }))
        .toMatchObject({ dispatched: 1, results: [{ originalTaskId: again.taskId }] })
      expect(yield* bulk.bulkCancel({ ...none, payload: { ids: [done, nowhere] } }))
        .toMatchObject({ cancelled: 0, skipped: 2, nextCursor: null })
      const { batch } = yield* batches.startBatch({
        payload: { action: "retry", selection: { filter }, perSecond: 5, startAfter: 60_000 }
      })
      expect(batch).toMatchObject({ q: "status:failed priority:7", state: "waiting", who: "ada" })
      expect((yield* batches.batches()).items).toEqual([batch])
      expect(yield* batches.batch({ path: { batch: batch.id } })).toEqual(batch)
      expect(yield* batches.stopBatch({ path: { batch: batch.id } })).toMatchObject({ outcome: "undone" })
      const cancelled = yield* batches.startBatch({
        payload: { action: "cancel", selection: { ids: [nowhere] }, startAfter: 600_000 }
      })
      expect(yield* batches.beginBatch({ path: { batch: cancelled.batch.id } })).toMatchObject({ action: "cancel" })
      expect(yield* bulk.deleteHistory({ urlParams: { value: 30, unit: "day" } })).toEqual({
        deleted: 0,
        complete: true,
        dryRun: false
      })

      expect((yield* charts.metrics({ urlParams: { task: "works" } })).success).toBe(1)
      expect((yield* charts.stats({ urlParams: { window: 3_600_000 } })).ended).toBeGreaterThanOrEqual(4)
      expect((yield* charts.buckets({ urlParams: { window: 3_600_000, points: 4 } })).width).toBe(900_000)
      expect((yield* charts.durations({ urlParams: { task: "works", window: 3_600_000 } })).items).toHaveLength(1)
      expect(yield* charts.facets({ urlParams: { task: "works" } })).toMatchObject({
        success: 1,
        applied: { q: "task:works" }
      })
      expect((yield* charts.overview({ urlParams: { window: "15m" } })).current.ended).toBeGreaterThanOrEqual(4)
      expect((yield* charts.suggest({ urlParams: { text: "stat", caret: 4 } })).items[0]).toMatchObject({
        insert: "status:"
      })
      expect(yield* charts.prometheus()).toContain(`taskflow_tasks_ended_total{task="works",status="success"} 1`)

      expect((yield* definitions.definitions()).items.map(({ taskName }) => taskName)).toContain("works")
      const name = { path: { name: "works" } }
      expect(yield* definitions.definition(name)).toMatchObject({ taskName: "works", definition: { version: 1 } })
      expect(yield* definitions.pause(name)).toEqual({ outcome: "paused" })
      expect((yield* definitions.pauses()).items).toMatchObject([{ taskName: "works", by: "ada" }])
      expect(yield* definitions.resume(name)).toEqual({ outcome: "resumed" })
      expect(yield* definitions.pauseAll()).toEqual({ outcome: "paused" })
      expect(yield* definitions.resumeAll()).toEqual({ outcome: "resumed" })

      const nightly = { path: { name: "nightly" } }
      const works = { payload: { n: 6 }, name: "nightly", cron: "0 3 * * *", timezone: "Europe/Rome" }
      yield* Effect.flatMap(TaskManager, (manager) => manager.schedules.upsert(Works, works)).pipe(
        Effect.provide(context)
      )
      expect((yield* schedules.schedules({ urlParams: { limit: 5 } })).items).toMatchObject([{ name: "nightly" }])
      expect(yield* schedules.schedule(nightly)).toMatchObject({
        trigger: { cron: "0 3 * * *", timezone: "Europe/Rome" },
        pausedAt: null,
        payload: { n: 6 }
      })
      expect((yield* schedules.pauseSchedule(nightly)).pausedAt).toMatch(/Z$/)
      expect((yield* schedules.resumeSchedule(nightly)).pausedAt).toBe(null)
      const byHand = yield* schedules.triggerSchedule(nightly)
      expect(byHand.outcome).toBe("enqueued")
      yield* ends(byHand.taskId, "success")
      expect(yield* schedules.scheduleRuns({ ...nightly, urlParams: { limit: 5 } })).toMatchObject({
        items: [{ taskId: byHand.taskId, source: "manual", status: "success" }]
      })
      expect(yield* schedules.removeSchedule(nightly)).toEqual({ schedule: "nightly" })

      const [here] = (yield* fleet.instances()).items
      const instance = { path: { instance: here!.instance } }
      expect(yield* fleet.drain(instance)).toEqual({ instance: here!.instance, draining: true })
      expect(yield* fleet.undrain(instance)).toEqual({ instance: here!.instance, draining: false })
      expect((yield* fleet.audit({ urlParams: { who: "ada", action: "retry", since: 0, limit: 1 } })).items)
        .toMatchObject([{ target: failed, outcome: "done", parameters: { newTaskId: again.taskId } }])

      expect(yield* exports.csv({ urlParams: { task: "works", limit: 5 } })).toContain(done)
      expect(JSON.parse(yield* exports.ndjson({ urlParams: { tag: ["plan", "pro"] } }))).toMatchObject({ taskId: done })
      const { frames, next } = yield* live.changes({ urlParams: { topics: "counts" } })
      expect(frames[0]).toMatchObject({ t: "hello" })
      expect((yield* live.changes({ urlParams: { topics: "counts", after: next } })).frames).not.toContainEqual(
        expect.objectContaining({ t: "hello" })
      )

      expect(yield* auth.session()).toMatchObject({ user: "ada", open: false })
      expect(yield* auth.login({ payload: { username: "vera", password: "pass" } })).toMatchObject({ access: "viewer" })
      expect(yield* auth.logout()).toBe(undefined)

      // A stream has no end: a client that waits for all of it would wait as long.
      expect([...left]).toEqual(["live.stream"])
    }))

  it.scopedLive("fails with what is refused", () =>
    Effect.gen(function*() {
      const { backend, baseUrl, client, context } = yield* world
      const refused = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<E, A> => Effect.flip(call)
      const { definitions, tasks } = client
      const name = (name: string) => ({ path: { name } })
      const { taskId: failed } = yield* Fails.enqueue().pipe(Effect.provide(context))
      yield* Effect.provide(awaitStatus(failed, "failed"), context)

      const wrong = yield* refused(tasks.list({ urlParams: { limit: 201 } }))
      expect(wrong).toMatchObject({
        _tag: "HttpApiDecodeError",
        issues: [{ path: ["limit"], message: "a whole number from 1 to 200 is expected" }]
      })
      expect(yield* refused(tasks.list({ urlParams: { q: "statsu:failed" } })))
        .toMatchObject({ _tag: "TaskFilterError", errors: [{ token: "statsu", from: 0, to: 6 }] })
      expect(yield* refused(tasks.list({ urlParams: { cursor: "nonsense" } })))
        .toMatchObject({ _tag: "TaskCursorError", reason: "malformed" })
      expect(yield* refused(tasks.attempts(of(nowhere)))).toMatchObject({ _tag: "TaskNotFound", taskId: nowhere })
      expect(yield* refused(tasks.cancel(of(failed)))).toMatchObject({ _tag: "TaskWrongStatus", status: "failed" })
      const { taskId: retriedAs } = yield* tasks.retry({ ...of(failed), payload: {} })
      expect(yield* refused(tasks.retry({ ...of(failed), payload: {} }))).toMatchObject({
        _tag: "TaskAlreadyRetried",
        retriedAs
      })
      expect(yield* refused(definitions.definition(name("nobody")))).toMatchObject({
        _tag: "DefinitionNotFound",
        task: "nobody"
      })
      expect(yield* refused(definitions.enqueue({ ...name("works"), payload: { payload: { n: "four" } } })))
        .toMatchObject({ _tag: "TaskArgumentError", path: expect.stringContaining("n") })
      expect(yield* refused(definitions.enqueue({ ...name("nobody"), payload: {} })))
        .toMatchObject({ _tag: "TaskNotRegistered", task: "nobody" })
      expect(yield* refused(client.schedules.schedule(name("none")))).toMatchObject({ _tag: "ScheduleNotFound" })
      yield* backend.schedules.define(
        { name: "newer", taskName: "works", definition: "d", origin: "code", anchor: 1, spec: "{\"version\":99}" },
        1
      )
      expect(yield* refused(client.schedules.triggerSchedule(name("newer"))))
        .toMatchObject({ _tag: "ScheduleUnreadable", schedule: "newer" })
      expect(yield* refused(client.fleet.drain({ path: { instance: "none" } }))).toMatchObject({
        _tag: "InstanceNotFound"
      })
      expect(yield* refused(client.errors.dismiss({ path: { fingerprint: "none" } })))
        .toMatchObject({ _tag: "ErrorGroupNotFound", fingerprint: "none" })
      expect(yield* refused(client.batches.batch({ path: { batch: nowhere } })))
        .toMatchObject({ _tag: "BatchNotFound", batch: nowhere })
      const ids = { action: "cancel" as const, selection: { ids: [nowhere] }, startAfter: 60_000 }
      const { batch } = yield* client.batches.startBatch({ payload: ids })
      yield* client.batches.stopBatch({ path: { batch: batch.id } })
      expect(yield* refused(client.batches.stopBatch({ path: { batch: batch.id } })))
        .toMatchObject({ _tag: "BatchOver", state: "stopped" })
      for (let n = 0; n < 10; n++) yield* client.batches.startBatch({ payload: ids })
      expect(yield* refused(client.batches.startBatch({ payload: ids }))).toMatchObject({
        _tag: "TooManyBatches",
        limit: 10
      })
      expect(yield* refused(client.live.changes({ urlParams: { topics: "nonsense" } }))).toMatchObject({
        _tag: "BadTopic"
      })
      expect(yield* refused(client.live.stream({ urlParams: { topics: "nonsense" } }))).toMatchObject({
        _tag: "BadTopic"
      })
      expect(yield* refused(client.auth.login({ payload: { username: "ada", password: "wrong" } })))
        .toMatchObject({ _tag: "Unauthorized" })
      expect(
        yield* refused(client.bulk.bulkCancel({ ...none, payload: { filter: { q: "x".repeat(1_900) }, cursor: "c" } }))
      )
        .toMatchObject({ _tag: "TaskCursorError" })
      const long = { ids: Array.from({ length: 1_000 }, () => "x".repeat(90)) }
      expect(yield* refused(client.bulk.bulkCancel({ ...none, payload: long }))).toMatchObject({ _tag: "BodyTooLarge" })
      expect(yield* refused(tasks.attempts(of("a".repeat(9_000))))).toMatchObject({ _tag: "UrlTooLong" })

      const clientWith = (
        credentials: TaskHttp.Credentials | undefined,
        headers: Readonly<Record<string, string>> = {},
        prefix: `/${string}` = "/tasks"
      ) =>
        TaskHttp.client({
          baseUrl,
          credentials,
          prefix,
          transformClient: HttpClient.mapRequest(HttpClientRequest.setHeaders(headers))
        })
      const viewer = yield* clientWith({ username: "vera", password: Redacted.make("pass") })
      expect(yield* refused(viewer.tasks.cancel(of(failed)))).toMatchObject({
        _tag: "TaskForbidden",
        permission: "cancel"
      })
      const page = yield* clientWith(credentials, { "sec-fetch-site": "cross-site" })
      expect(yield* refused(page.tasks.cancel(of(failed)))).toMatchObject({ _tag: "CrossSiteRequest" })
      const script = yield* clientWith(credentials, { "sec-fetch-site": "same-origin", "x-taskflow": "0" })
      expect(yield* refused(script.tasks.cancel(of(failed)))).toMatchObject({ _tag: "HeaderRequired" })
      const lost = yield* clientWith(credentials, {}, "/tasks/below")
      expect(yield* refused(lost.charts.metrics(none))).toMatchObject({ _tag: "NoSuchRoute" })
      const guessing = yield* clientWith({ username: "ada", password: Redacted.make("guess") })
      expect(yield* refused(guessing.fleet.instances())).toMatchObject({ _tag: "Unauthorized" })
      for (let n = 0; n < 5; n++) {
        yield* refused(client.auth.login({ payload: { username: "ada", password: `wrong ${n}` } }))
      }
      expect(yield* refused(client.auth.login({ payload: { username: "ada", password: "pass" } })))
        .toMatchObject({ _tag: "TooManyAttempts", retryAfter: expect.any(Number) })
    }).pipe(Effect.provide(FetchHttpClient.layer)))
})
