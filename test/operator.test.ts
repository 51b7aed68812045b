/** An operator: a TaskManager that shows and steers, and otherwise leaves everything as it is. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Option, TestClock } from "effect"
import { TaskBackend, TaskManager } from "effect-taskflow"
import { operatorLayer } from "../src/Taskflow.js"
import { sharedBackend } from "./support/engine.js"
import { Job, keeping, scheduled, started } from "./support/schedules.js"
import { facts } from "./support/sql.js"

describe("an operator", () => {
  it.scoped("claims nothing, fires nothing, removes nothing, and takes nobody for dead", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      const app = yield* started(backend, Layer.merge(keeping([]), scheduled({ every: "1 hour" })))
      yield* app.manager.schedules.upsert(Job, { every: "1 minute", payload: { n: 1 }, name: "mine" })
      const old = yield* app.manager.enqueue(Job, { n: 1 })
      yield* TestClock.adjust("30 seconds")
      expect((yield* app.manager.get(old.taskId)).status).toBe("success")
      yield* app.close
      yield* backend.attach(facts(), 1)
      yield* TestClock.adjust("40 days")

      const context = yield* Layer.build(Layer.provide(operatorLayer, Layer.succeed(TaskBackend, backend)))
      yield* Effect.gen(function*() {
        const manager = yield* TaskManager
        const waiting = yield* manager.enqueue(Job, { n: 2 })
        yield* TestClock.adjust("6 minutes")
        expect(yield* manager.get(waiting.taskId)).toMatchObject({ status: "pending", owner: null })
        expect(Option.isSome(yield* backend.get(old.taskId as never))).toBe(true)
        expect((yield* manager.list({})).items.length).toBe(2)
        expect((yield* manager.instances).map(({ id, state }) => [id, state])).toContainEqual([facts().id, "live"])
        const { items } = yield* manager.schedules.list()
        expect(items.map(({ name, retiredAt }) => [name, retiredAt]).sort()).toEqual([["job", null], ["mine", null]])
        expect(yield* manager.schedules.trigger("mine")).toMatchObject({ _tag: "Enqueued" })
        expect(yield* manager.cancel(waiting.taskId)).toBe("cancelled")
      }).pipe(Effect.provide(context))
    }))
})
