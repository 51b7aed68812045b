/** An instance without handlers, as one that only serves the dashboard: what others run can be run again from there. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import { Task, TaskManager } from "effect-taskflow"
import { oneOf, sharedBackend } from "./support/engine.js"

const Job = Task.make("job", { priority: 4, tags: { tenant: "acme" }, keyTtl: "1 hour" })

describe("retrying what only another instance can run", () => {
  it.scoped("makes a new task for it, as long as it is alive and says that it has the handler", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      let runs = 0
      const worker = yield* oneOf(
        backend,
        Job.toLayer(() =>
          Effect.suspend(() => {
            runs += 1
            return runs === 1 ? Effect.die("first") : Effect.void
          })
        )
      )
      const front = yield* oneOf(backend, Layer.empty)
      const at = Effect.provide(TaskManager, front.context)
      const manager = yield* at
      const { taskId } = yield* Effect.provide(Job.enqueue(undefined, { idempotencyKey: "k" }), worker.context)
      yield* Effect.provide(Effect.flatMap(TaskManager, (one) => one.awaitResult(taskId)), worker.context)
      const unheard = yield* Effect.flip(manager.retry(taskId))
      expect(unheard._tag).toBe("TaskNotRegistered")
      // A heartbeat tells.
      yield* TestClock.adjust("15 seconds")
      expect((yield* manager.instances).map(({ vitals }) => vitals?.tasks)).toEqual(
        expect.arrayContaining([["job"], []])
      )
      const again = yield* manager.retry(taskId)
      yield* TestClock.adjust("5 seconds")
      expect(yield* manager.get(again)).toMatchObject({
        status: "success",
        retryOf: taskId,
        priority: 4,
        tags: { tenant: "acme" },
        idempotencyKey: "k",
        keyTtl: 3_600_000,
        source: "manual"
      })
      expect(runs).toBe(2)
      expect((yield* Effect.flip(manager.retry(taskId)))._tag).toBe("TaskAlreadyRetried")
    }))

  it.scoped("is refused when nobody alive has it", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const worker = yield* oneOf(backend, Job.toLayer(() => Effect.die("no")))
      const front = yield* oneOf(backend, Layer.empty)
      const manager = yield* Effect.provide(TaskManager, front.context)
      const { taskId } = yield* Effect.provide(Job.enqueue(), worker.context)
      yield* Effect.provide(Effect.flatMap(TaskManager, (one) => one.awaitResult(taskId)), worker.context)
      yield* TestClock.adjust("15 seconds")
      yield* worker.close
      expect((yield* Effect.flip(manager.retry(taskId)))._tag).toBe("TaskNotRegistered")
    }))
})
