import { describe, expect, it } from "@effect/vitest"
import { Effect, FastCheck as fc, Layer } from "effect"
import * as TaskflowConfig from "../src/TaskflowConfig.js"
import type { TaskId } from "../src/TaskId.js"
import { TaskQueue } from "../src/TaskQueue.js"
import * as Queue from "../src/TaskQueue.js"
import type { TaskRecord } from "../src/TaskRecord.js"

const record = (taskId: number, taskName: string, priority: number) =>
  ({ taskId: `${taskId}` as TaskId, taskName, priority, kind: "task" }) as TaskRecord
const queueOf = (windowSize: number) =>
  Effect.runSync(Effect.provide(TaskQueue, Queue.layer.pipe(Layer.provide(TaskflowConfig.layer({ windowSize })))))

describe("TaskQueue", () => {
  it("property: take gives the highest priority, the first of equals, of the names that may start", () => {
    const command = fc.oneof(
      fc.record({
        kind: fc.constant("offer" as const),
        name: fc.constantFrom("a", "b", "c"),
        priority: fc.integer({ min: -2, max: 2 })
      }),
      fc.record({ kind: fc.constant("take" as const), blocked: fc.subarray(["a", "b", "c"]) }),
      fc.record({ kind: fc.constant("remove" as const), pick: fc.nat() }),
      fc.record({ kind: fc.constant("evict" as const) })
    )
    fc.assert(fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
      const queue = queueOf(1_000)
      let model: Array<TaskRecord> = []
      let made = 0
      const sorted = () =>
        model.map((item, index) => ({ item, index })).sort((x, y) =>
          y.item.priority - x.item.priority || x.index - y.index
        ).map(({ item }) => item)
      for (const step of commands) {
        if (step.kind === "offer") {
          made += 1
          const item = record(made, step.name, step.priority)
          model.push(item)
          queue.offer(item)
        } else if (step.kind === "take") {
          const mayStart = (name: string) => !step.blocked.includes(name)
          const expected = sorted().find((item) => mayStart(item.taskName))
          expect(queue.canTake(mayStart)).toBe(expected !== undefined)
          expect(queue.take(mayStart)).toBe(expected)
          model = model.filter((item) => item !== expected)
        } else if (step.kind === "remove") {
          const item = model[step.pick % Math.max(1, model.length)]
          expect(queue.remove(item?.taskId ?? "none" as TaskId)).toBe(item !== undefined)
          model = model.filter((other) => other !== item)
        } else {
          const last = queue.evict()
          if (model.length === 0) expect(last).toBeUndefined()
          else {
            expect(last!.priority).toBe(Math.min(...model.map(({ priority }) => priority)))
            model = model.filter((item) => item !== last)
          }
        }
        expect(queue.size()).toBe(model.length)
        expect(queue.lowestPriority()).toBe(
          model.length === 0 ? undefined : Math.min(...model.map(({ priority }) => priority))
        )
        for (const name of ["a", "b", "c"]) {
          expect(queue.sizeOf(name)).toBe(model.filter(({ taskName }) => taskName === name).length)
        }
      }
      expect(queue.takeAll()).toEqual(sorted())
    }))
  })

  it("room counts down to zero", () => {
    const queue = queueOf(2)
    expect(queue.room()).toBe(2)
    for (const n of [1, 2, 3]) queue.offer(record(n, "a", 0))
    expect(queue.room()).toBe(0)
  })
})
