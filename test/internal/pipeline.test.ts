import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, Fiber, FiberRef, Scheduler, Scope } from "effect"
import * as Attempt from "../../src/internal/attempt.js"
import * as Definition from "../../src/internal/definition.js"
import { newRecord } from "../../src/internal/newRecord.js"
import * as Pipeline from "../../src/internal/pipeline.js"
import { prepare } from "../../src/internal/prepare.js"
import type { Slot } from "../../src/internal/slots.js"
import * as TaskflowConfig from "../../src/TaskflowConfig.js"
import * as TaskId from "../../src/TaskId.js"

const slot: Slot = { release: () => {}, park: Effect.void, unpark: Effect.void, endWaits: () => {} }

// An attempt of a task that does this, and a way to begin it.
const attemptOf = Effect.fnUntraced(function*(body: Effect.Effect<unknown>) {
  const { definition } = Definition.make("noted", {})
  const handler = { _tag: "Function", handle: () => body } as const
  const runtime = yield* Effect.runtime<never>()
  const config = TaskflowConfig.make({ tracing: { mode: "off" } })
  // safe: only modules are given to an executor, and only lines and progress to a store
  const nothing = undefined as never
  const { forkOf, pipeline } = Pipeline.make(config, yield* Effect.clock, nothing)({ definition, handler, runtime })
  const record = newRecord(definition, yield* prepare(definition, {}, {}, 0, 100), TaskId.random().next(0), 0, null)
  const attempt = Attempt.make(record, slot, { store: nothing, limits: config.logs, now: () => 0 })
  const fork = forkOf(attempt, yield* Scope.make())
  return { attempt, begin: () => fork(pipeline(attempt)) }
})

// One that notes that it ran.
const attempted = Effect.suspend(() => {
  const ran: Array<string> = []
  return Effect.map(attemptOf(Effect.sync(() => ran.push("handler"))), (made) => ({ ...made, ran }))
})

describe("an attempt", () => {
  it.effect("begins in the call, when its handler has to wait for nothing it ends there", () =>
    Effect.gen(function*() {
      const { begin, ran } = yield* attempted
      const fiber = begin()
      expect(ran).toEqual(["handler"])
      expect(fiber.unsafePoll()).toEqual(Exit.succeed(Exit.succeed(1)))
    }))

  it.effect("that was asked to stop before it began runs nothing of its handler", () =>
    Effect.gen(function*() {
      const { attempt, begin, ran } = yield* attempted
      attempt.stop("cancel")
      expect(Exit.isInterrupted(Exit.flatten(yield* Fiber.await(begin())))).toBe(true)
      expect(ran).toEqual([])
    }))

  it.effect("waits for a scheduler that the application brought", () =>
    Effect.gen(function*() {
      const tasks: Array<() => void> = []
      const scheduler = Scheduler.make((task) => tasks.push(task), () => false)
      const { begin, ran } = yield* Effect.locally(attempted, FiberRef.currentScheduler, scheduler)
      begin()
      expect(ran).toEqual([])
      tasks.forEach((task) => task())
      expect(ran).toEqual(["handler"])
    }))

  it.effect("has a value of its own where a fork makes one for each fiber", () =>
    Effect.gen(function*() {
      const seen = FiberRef.unsafeMake<Array<string>>([], { fork: (before) => [...before] })
      const noting = Effect.map(FiberRef.get(seen), (list) => list.push("handler"))
      const { begin } = yield* Effect.locally(attemptOf(noting), seen, ["layer"])
      for (const _ of [1, 2]) expect(begin().unsafePoll()).toEqual(Exit.succeed(Exit.succeed(2)))
    }))
})
