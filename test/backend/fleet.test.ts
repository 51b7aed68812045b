/** Two engines on one database: each sees what the other does, wakes it, and steers it. */
import { describe, expect, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, LogLevel, Queue, Schema, type Scope, Stream } from "effect"
import {
  Task,
  TaskBackend,
  type TaskChange,
  type TaskChanges,
  TaskflowLayer,
  type TaskflowOptions,
  TaskLog,
  TaskManager,
  TaskProgress
} from "effect-taskflow"
import * as RedisBackend from "../../src/backend/RedisBackend.js"
import { hasRedis, redis, redisPrefix } from "../support/databases.js"
import { gate } from "../support/engine.js"
import { backendOn, type Database, databases } from "../support/sql.js"
import { type Place, testInTurn } from "../support/testOn.js"

const Crop = Task.make("crop", { payload: { image: Schema.String }, success: Schema.String })
const Paid = Task.make("paid", { payload: {}, transactional: true, concurrency: 1, timeout: "1 second" })
const Nobody = Task.make("nobody", { payload: {} })

// Whoever is woken is woken by a hint: nobody would look by itself in time.
const options: TaskflowOptions = {
  announce: false,
  shutdownTimeout: 0,
  lease: "1 minute",
  heartbeatInterval: "1 second",
  poll: { min: "10 minutes", max: "10 minutes" }
}

const engineOn = <H>(
  backend: Layer.Layer<TaskBackend, unknown>,
  handlers: Layer.Layer<H, never, TaskManager>,
  more?: TaskflowOptions
): Effect.Effect<TaskManager["Type"], unknown, Scope.Scope> =>
  Effect.map(
    Layer.build(handlers.pipe(Layer.provideMerge(TaskflowLayer({ ...options, ...more })), Layer.provide(backend))),
    Context.unsafeGet(TaskManager)
  )

const none = Layer.empty

/** What a manager's stream tells from now on; `until` waits for one that fits. */
const watch = (manager: TaskManager["Type"]) =>
  Effect.gen(function*() {
    const { cursor } = yield* manager.changesAfter()
    const seen: Array<TaskChange.TaskChange> = []
    const pages = yield* Queue.unbounded<TaskChanges>()
    yield* Effect.forkScoped(Stream.runForEach(manager.changes(cursor), (page) => Queue.offer(pages, page)))
    let read = 0
    const until = (fits: (change: TaskChange.TaskChange) => boolean): Effect.Effect<TaskChange.TaskChange> =>
      Effect.suspend(() => {
        while (read < seen.length) {
          const change = seen[read]!
          read += 1
          if (fits(change)) return Effect.succeed(change)
        }
        return Effect.flatMap(Queue.take(pages), (page) => {
          expect(page.reset).toBe(false)
          seen.push(...page.changes)
          return until(fits)
        })
      })
    return { seen, until }
  })

const changed = (taskId: string, status: string) => (change: TaskChange.TaskChange) =>
  change._tag === "Changed" && change.taskId === taskId && change.status === status

const quiet = Logger.withMinimumLogLevel(LogLevel.None)

/** The backend on a client of the application's, and the client. */
const joined = ({ open, prefix }: Place) =>
  Effect.gen(function*() {
    const client = yield* open
    return { client, backend: Layer.succeed(TaskBackend, yield* backendOn(client, { prefix })) }
  })

type Test = (
  what: string,
  body: (at: { readonly place: string }) => Effect.Effect<void, unknown, Scope.Scope>
) => void

/** What two engines do for each other wherever their tasks are kept; `layer` is a backend of one of them. */
const shared = (test: Test, layer: (place: string) => Layer.Layer<TaskBackend, unknown>) => {
  test("what waits, runs, logs and progresses in one is seen by the other", ({ place }) =>
    Effect.gen(function*() {
      const { open, wait } = yield* gate
      const handler = Crop.toLayer(({ image }) =>
        Effect.gen(function*() {
          yield* Effect.log("opened")
          yield* TaskLog.warning("large", { image })
          yield* TaskProgress.set(0.5, "half")
          yield* wait
          return image
        })
      )
      const a = yield* engineOn(layer(place), handler)
      const b = yield* engineOn(layer(place), none)
      const { until } = yield* watch(b)
      const waiting = yield* a.enqueue(Nobody, undefined)
      expect(yield* until(changed(waiting.taskId, "pending"))).toMatchObject({
        taskName: "nobody",
        by: a.instance,
        owner: null,
        attempts: 0
      })
      const { taskId } = yield* a.enqueue(Crop, { image: "cat" })
      expect(yield* until(changed(taskId, "running"))).toMatchObject({ owner: a.instance, attempts: 1, claim: 1 })
      // Progress and lines reach the backend in their own time.
      const both = new Set<string>()
      yield* until((change) => {
        if (change.taskId !== taskId) return false
        if (change._tag === "Progressed") {
          expect(change.progress).toEqual({ value: 0.5, message: "half" })
          both.add("progress")
        }
        if (change._tag === "Logged" && change.lines === 2) both.add("lines")
        return both.size === 2
      })
      const lines = yield* b.logs(taskId)
      expect(lines.map(({ message }) => message)).toEqual(["opened", "large"])
      expect((yield* b.logs(taskId, { after: 1 })).map(({ level }) => level)).toEqual(["warning"])
      yield* open
      expect(yield* until(changed(taskId, "success"))).toMatchObject({ owner: null })
      expect((yield* b.get(taskId)).result).toBe("\"cat\"")
    }).pipe(quiet))

  test("what one cannot run wakes the other", ({ place }) =>
    Effect.gen(function*() {
      const a = yield* engineOn(layer(place), none)
      const b = yield* engineOn(layer(place), Crop.toLayer(({ image }) => Effect.succeed(image)))
      const { until } = yield* watch(a)
      for (const image of ["cat", "dog"]) {
        const { taskId } = yield* a.enqueue(Crop, { image })
        yield* until(changed(taskId, "success"))
        expect((yield* a.get(taskId)).instance).toBe(b.instance)
      }
    }).pipe(quiet))

  test("one pauses and resumes what the other runs, and sees it heeded", ({ place }) =>
    Effect.gen(function*() {
      const a = yield* engineOn(layer(place), Crop.toLayer(({ image }) => Effect.succeed(image)))
      const b = yield* engineOn(layer(place), none)
      // Heartbeats of real time tell who heeds what.
      const heeded: Effect.Effect<void, unknown> = Effect.flatMap(b.pauses, ({ awaiting, heededBy }) =>
        awaiting.length === 0 && heededBy.length === 2
          ? Effect.void
          : Effect.zipRight(Effect.sleep("20 millis"), heeded))
      const { until } = yield* watch(b)
      for (const name of ["crop", undefined]) {
        expect(yield* b.pause(name, { by: "ops" })).toBe("paused")
        expect(yield* b.pause(name)).toBe("alreadyPaused")
        const { paused } = yield* b.pauses
        expect(paused.map(({ by, target }) => ({ by, target }))).toEqual([
          { by: "ops", target: name === undefined ? { _tag: "Everything" } : { _tag: "Task", name } }
        ])
        yield* heeded
        // Accepted, and neither handed to itself nor claimed.
        const { taskId } = yield* a.enqueue(Crop, { image: "cat" })
        yield* a.awaitIdle
        expect(yield* a.get(taskId)).toMatchObject({ status: "pending", owner: null })
        expect(yield* b.resume(name)).toBe(true)
        expect(yield* b.resume(name)).toBe(false)
        yield* until(changed(taskId, "success"))
        yield* heeded
        expect((yield* b.pauses).paused).toEqual([])
      }
    }).pipe(quiet))

  test("one cancels what runs in the other", ({ place }) =>
    Effect.gen(function*() {
      const a = yield* engineOn(layer(place), Crop.toLayer(() => Effect.never))
      const b = yield* engineOn(layer(place), none)
      const { until } = yield* watch(b)
      const { taskId } = yield* a.enqueue(Crop, { image: "cat" })
      yield* until(changed(taskId, "running"))
      expect(yield* b.cancel(taskId)).toBe("requested")
      const asked = yield* until(changed(taskId, "running"))
      expect(asked).toMatchObject({ cancelRequested: true, by: b.instance })
      expect(yield* until(changed(taskId, "cancelled"))).toMatchObject({ by: a.instance })
    }).pipe(quiet))

  test("a drained one ends what it has and leaves the rest to the other", ({ place }) =>
    Effect.gen(function*() {
      const { open, wait } = yield* gate
      const a = yield* engineOn(
        layer(place),
        Crop.toLayer(({ image }) => Effect.as(wait, image)),
        { maxConcurrentTasks: 1, appVersion: "7.1.0" }
      )
      const b = yield* engineOn(layer(place), Crop.toLayer(({ image }) => Effect.succeed(image)))
      const { until } = yield* watch(b)
      const first = yield* a.enqueue(Crop, { image: "cat" })
      yield* until(changed(first.taskId, "running"))
      const held = yield* a.enqueue(Crop, { image: "dog" })
      expect(yield* b.drain(a.instance)).toBe(true)
      // What waited in its window comes out of it, and what it is given from now on never gets there.
      yield* until(changed(held.taskId, "success"))
      expect((yield* b.get(held.taskId)).instance).toBe(b.instance)
      const later = yield* a.enqueue(Crop, { image: "cow" })
      yield* until(changed(later.taskId, "success"))
      expect((yield* b.get(later.taskId)).instance).toBe(b.instance)
      const listed = (yield* b.instances).find(({ id }) => id === a.instance)
      expect(listed).toMatchObject({
        state: "live",
        draining: true,
        versions: { app: "7.1.0" },
        vitals: { slots: { max: 1, active: 1 } }
      })
      yield* open
      yield* until(changed(first.taskId, "success"))
      expect((yield* b.get(first.taskId)).instance).toBe(a.instance)
    }).pipe(quiet))

  test("who comes back with a cursor has missed nothing, also at another instance", ({ place }) =>
    Effect.gen(function*() {
      const a = yield* engineOn(layer(place), none)
      const b = yield* engineOn(layer(place), none)
      const { cursor } = yield* a.changesAfter()
      const ids: Array<string> = []
      for (let count = 0; count < 5; count += 1) ids.push((yield* a.enqueue(Nobody, undefined)).taskId)
      const page = yield* b.changesAfter(cursor)
      expect([page.changes.map((change) => change.taskId), page.more, page.reset]).toEqual([ids, false, false])
      const first = yield* b.changesAfter(cursor, 1)
      expect(first.changes.length).toBeLessThan(5)
      const collected = yield* Effect.fork(
        b.changes(first.cursor).pipe(
          Stream.flatMap(({ changes }) => Stream.fromIterable(changes)),
          Stream.takeUntil((change) => change._tag === "Changed" && change.status === "cancelled"),
          Stream.runCollect
        )
      )
      yield* a.cancel(ids[0]!)
      const rest = [...yield* Fiber.join(collected)].map((change) => change.taskId)
      expect(new Set([...first.changes.map((change) => change.taskId), ...rest])).toEqual(new Set(ids))
      expect((yield* b.changesAfter("of no backend")).reset).toBe(true)
    }).pipe(quiet))
}

const tests = (database: Database) => {
  const test = testInTurn(database)

  shared(test, database.layer)

  test("what joined a transaction is told when it is committed, and only then", (place) =>
    Effect.gen(function*() {
      const { backend, client } = yield* joined(place)
      const a = yield* engineOn(backend, none)
      const b = yield* engineOn(database.layer(place.place), none)
      const { seen, until } = yield* watch(b)
      const undone = yield* Effect.flip(client.withTransaction(
        Effect.flatMap(a.enqueue(Nobody, undefined), ({ taskId }) => Effect.fail(taskId))
      ))
      const { taskId } = yield* client.withTransaction(a.enqueue(Nobody, undefined))
      const told = yield* until(changed(taskId, "pending"))
      expect(told).toMatchObject({ taskName: "nobody", owner: null })
      expect(seen.some((change) => change.taskId === undone)).toBe(false)
      yield* a.cancel(taskId)
      yield* until(changed(taskId, "cancelled"))
      expect(seen.filter((change) => change.taskId === taskId).length).toBe(2)
    }).pipe(quiet))

  test("what ended in its handler's transaction is told when that is committed", (place) =>
    Effect.gen(function*() {
      const { backend } = yield* joined(place)
      const a = yield* engineOn(backend, Paid.toLayer(() => Effect.void))
      const b = yield* engineOn(database.layer(place.place), none)
      const { seen, until } = yield* watch(b)
      const { taskId } = yield* a.enqueue(Paid, undefined)
      yield* until(changed(taskId, "success"))
      expect(seen.filter(changed(taskId, "success")).length).toBe(1)
    }).pipe(quiet))

  if (database.kind !== "postgres") return

  test("a listener whose connection is cut comes back", ({ open, place, prefix }) =>
    Effect.gen(function*() {
      const client = yield* open
      const a = yield* engineOn(database.layer(place), none)
      const b = yield* engineOn(
        database.layer(place, `${prefix}b`),
        Crop.toLayer(({ image }) => Effect.succeed(image))
      )
      const { until } = yield* watch(a)
      for (const image of ["cat", "dog", "cow"]) {
        const cut = yield* client<
          { readonly cut: boolean }
        >`SELECT pg_terminate_backend(pid) AS cut FROM pg_stat_activity
          WHERE application_name = ${`${prefix}b (listens)`}`
        if (image === "cow") expect(cut).toEqual([{ cut: true }])
        const { taskId } = yield* a.enqueue(Crop, { image })
        yield* until(changed(taskId, "success"))
        expect((yield* a.get(taskId)).instance).toBe(b.instance)
      }
    }).pipe(quiet))
}

for (const database of databases) {
  describe.skipIf(!database.present)(`two engines on ${database.name}`, () => tests(database))
}

const onRedis: Test = (what, body) =>
  it.scopedLive(what, () => Effect.flatMap(redisPrefix, (place) => body({ place })), 60_000)

describe.skipIf(!await hasRedis())(
  "two engines on Redis",
  () => shared(onRedis, (prefix) => RedisBackend.layer({ ...redis, prefix }))
)
