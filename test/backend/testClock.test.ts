/** A TestClock drives a whole engine on each database: what waits for a time comes when the test moves it, and nothing is lost. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Exit, Layer, Option, Schema, Scope, TestClock, TestServices } from "effect"
import {
  Task,
  TaskBackend,
  TaskEvent,
  TaskflowLayer,
  type TaskflowOptions,
  TaskManager,
  TaskRecord
} from "effect-taskflow"
import { collectedLogs } from "../support/engine.js"
import { type Database, databases, facts, ids, task } from "../support/sql.js"

const Job = Task.make("job", {
  payload: { n: Schema.Int },
  success: Schema.Int,
  retry: { retries: 1, delay: "10 minutes" }
})

// Looking for the tasks of others is not what is tested, and each look is a step of the clock.
const options = { announce: false, shutdownTimeout: 0, poll: { min: "2 seconds", max: "1 minute" } } as const

const engineOn = (database: Database, place: string, more: TaskflowOptions = {}) =>
  Effect.gen(function*() {
    // Closed in real time: nobody moves the clock any more.
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    let runs = 0
    const handler = Job.toLayer(({ n }) =>
      Effect.suspend(() => ++runs === 1 && n < 0 ? Effect.dieMessage("the first attempt fails") : Effect.succeed(n))
    )
    const engine = handler.pipe(
      Layer.provideMerge(TaskflowLayer({ ...options, ...more })),
      Layer.provideMerge(database.layer(place))
    )
    return yield* Layer.buildWithScope(engine, scope)
  })

// The database answers in real time; a minute is only for a machine that is very busy.
const until = <A, E, R>(look: Effect.Effect<A, E, R>, holds: (found: A) => boolean): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    for (let n = 0;; n += 1) {
      const found = yield* look
      if (holds(found) || n > 6_000) return found
      yield* TestServices.provideLive(Effect.sleep("10 millis"))
    }
  })

const ended = (taskId: string) =>
  until(Effect.flatMap(TaskManager, (manager) => manager.get(taskId)), TaskRecord.isDone)

for (const database of databases) {
  const test = (what: string, body: (place: string) => Effect.Effect<void, unknown, Scope.Scope>) => {
    const logs = collectedLogs()
    it.scoped(
      what,
      () =>
        Effect.flatMap(database.place, body).pipe(
          Effect.zipRight(Effect.sync(() => {
            expect(logs.lines.filter(({ level }) => level === "Error")).toEqual([])
            expect(logs.lines.filter(({ message }) => /no heartbeat|heartbeat failed|goes on as/.test(message)))
              .toEqual([])
          })),
          Effect.provide(logs.layer)
        ),
      90_000
    )
  }

  describe.skipIf(!database.present)(`a TestClock on ${database.name}`, () => {
    test("brings a delayed task an hour later", (place) =>
      Effect.gen(function*() {
        const context = yield* engineOn(database, place)
        yield* Effect.gen(function*() {
          const { taskId } = yield* Job.enqueue({ n: 1 }, { delay: "1 hour" })
          yield* TestClock.adjust("59 minutes")
          expect(yield* (yield* TaskManager).get(taskId)).toMatchObject({ status: "pending" })
          yield* TestClock.adjust("1 minute")
          expect(yield* ended(taskId)).toMatchObject({ status: "success", startedAt: 3_600_000 })
        }).pipe(Effect.provide(context))
      }))

    test("brings the next attempt behind its back-off", (place) =>
      Effect.gen(function*() {
        const context = yield* engineOn(database, place)
        yield* Effect.gen(function*() {
          const manager = yield* TaskManager
          const { taskId } = yield* Job.enqueue({ n: -1 })
          yield* until(manager.get(taskId), ({ failures }) => failures === 1)
          yield* TestClock.adjust("10 minutes")
          expect(yield* ended(taskId)).toMatchObject({ status: "success", attempts: 2, attemptStartedAt: 600_000 })
        }).pipe(Effect.provide(context))
      }))

    test("brings the tasks of a dead instance, and takes no living one for dead", (place) =>
      Effect.gen(function*() {
        const living = yield* engineOn(database, place)
        const context = yield* engineOn(database, place)
        const { instance } = yield* Effect.provide(TaskManager, living)
        yield* Effect.gen(function*() {
          const backend = yield* TaskBackend
          const ghost = TaskEvent.InstanceId.make(ids.next(0))
          yield* backend.attach(facts(ghost), 0)
          const record = task({ taskName: "job", payload: "{\"n\":7}", requeueOnInterrupt: true, at: 0 })
          const event = { _tag: "Started", taskId: record.taskId, at: 0, instance: ghost, claim: 1 } as const
          const started = Option.getOrThrow(TaskRecord.apply(record, event))
          const changes = [{ _tag: "Insert", record: started }] as const
          yield* backend.write({ instance: ghost, lane: "journal", number: 1, now: 0, changes })
          // Both have seen it once: that is what a lease begins with.
          const beats = Effect.map(
            backend.heartbeat(ghost, 0),
            ({ peers }) => peers.map(({ beat }) => beat)
          )
          yield* until(beats, (all) => all.length === 2 && all.every((beat) => beat > 0))
          yield* TestClock.adjust("1 hour")
          yield* until(Effect.flatMap(TaskManager, (manager) => manager.get(record.taskId)), TaskRecord.isDone)
          expect(yield* ended(record.taskId)).toMatchObject({ status: "success", crashes: 1 })
        }).pipe(Effect.provide(context))
        expect((yield* Effect.provide(TaskManager, living)).instance).toBe(instance)
      }))

    test("removes what is old enough", (place) =>
      Effect.gen(function*() {
        const context = yield* engineOn(database, place, { retention: { success: "1 hour" } })
        yield* Effect.gen(function*() {
          const manager = yield* TaskManager
          const { taskId } = yield* Job.enqueue({ n: 1 })
          yield* ended(taskId)
          yield* TestClock.adjust("58 minutes")
          expect(yield* manager.get(taskId)).toMatchObject({ status: "success" })
          yield* TestClock.adjust("10 minutes")
          const left = yield* until(
            Effect.map(manager.stats(), ({ counts }) => counts.success),
            (count) => count === 0
          )
          expect(left).toBe(0)
        }).pipe(Effect.provide(context))
      }))

    test("may stand between two milliseconds", (place) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("333.25 millis")
        expect(yield* Clock.currentTimeMillis).toBe(333.25)
        const context = yield* engineOn(database, place, { lease: "1 second" })
        yield* Effect.gen(function*() {
          const { taskId } = yield* Job.enqueue({ n: 1 })
          expect(yield* ended(taskId)).toMatchObject({ status: "success", createdAt: 333 })
        }).pipe(Effect.provide(context))
      }))
  })
}
