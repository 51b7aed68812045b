/** Schedules on one engine, in memory: what the code has, what is made at run time, and how both are steered. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Layer, Schema, TestClock } from "effect"
import { Task, TaskContext, TaskManager, TaskSchedule } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"

const Job = Task.make("job", { payload: { n: Schema.Number } })

describe("a schedule of the code", () => {
  it.effect("fires each slot once, at its time", () => {
    const ran: Array<number> = []
    const handler = Job.toLayer(() =>
      Effect.map(TaskContext.current, ({ schedule, source }) => {
        expect(source).toBe("scheduled")
        ran.push(schedule!.slot)
      })
    )
    return Effect.gen(function*() {
      yield* TestClock.adjust("1 minute")
      expect(ran).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000])
      const { schedules } = yield* TaskManager
    }).pipe(
      Effect.provide(
        Layer.mergeAll(handler, TaskSchedule.layer(Job, { every: "10 seconds", payload: { n: 1 } })).pipe(
          Layer.provideMerge(TaskflowTest.layer)
        )
      )
    )
  })
})
