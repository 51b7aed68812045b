/** Does what commands say to a real engine and to the model, and compares what both answer and what both hold. */
import { deepStrictEqual } from "node:assert"
import { Clock, Effect, Layer, Schema, type Scope, TestClock } from "effect"
import { Task, type TaskBackend, TaskContext, TaskManager } from "effect-taskflow"
import { oneOf } from "../support/engine.js"
import { eventually } from "../support/schedules.js"
import type { Command } from "./command.js"
import * as World from "./world.js"

const payload = { plan: Schema.Array(Schema.Literal("ok", "fail", "hang")) }
// No task of a crashed process is a suspect: what a suspect waits for is told in the conformance suite.
const maxCrashes = 1_000
const definitions = {
  steady: Task.make("steady", { payload, retry: { retries: 2, delay: World.spell, jitter: false }, maxCrashes }),
  single: Task.make("single", { payload, maxCrashes })
}

const options = {
  maxConcurrentTasks: 1_000,
  poll: { min: "1 minute", max: "1 minute" },
  lease: "90 seconds",
  heartbeatInterval: "30 seconds"
} as const

const minute = 60_000
/** How late an engine that is there may start something, and how late when it has to find out first that another one died. */
const slack = { alive: 1.5 * minute, dead: 5 * minute }

interface Seen {
  readonly status: string
  readonly attempts: number
  readonly failures: number
  readonly waits: boolean
  readonly stopReason: string | null
  readonly retryOf: number | null
  readonly retriedAs: number | null
  readonly starts: number
}

export const interpret = (
  commands: ReadonlyArray<Command>,
  /** One more connection to the same store. */
  connect: Effect.Effect<TaskBackend["Type"], unknown, Scope.Scope>
) =>
  Effect.gen(function*() {
    const world = World.empty()
    const ids: Array<string> = []
    const starts = new Map<string, number>()

    const handler = ({ plan }: { readonly plan: ReadonlyArray<World.Act> }) =>
      Effect.flatMap(TaskContext.current, ({ taskId }) => {
        const before = starts.get(taskId) ?? 0
        starts.set(taskId, before + 1)
        const act = plan[Math.min(before, plan.length - 1)]
        return act === "ok" ? Effect.void : act === "fail" ? Effect.die(new Error("as planned")) : Effect.never
      })
    const handlers = Layer.merge(definitions.steady.toLayer(handler), definitions.single.toLayer(handler))
    const begin = Effect.flatMap(connect, (backend) => oneOf(backend, handlers, options))
    let engine = yield* begin
    const manager = Effect.suspend(() => Effect.provide(TaskManager, engine.context))

    const indexOf = (id: string | null): number | null => {
      if (id === null) return null
      const index = ids.indexOf(id)
      return index < 0 ? ids.push(id) - 1 : index
    }

    const enqueue = ({ delayed, key, name, plan }: World.Wish) =>
      Effect.map(
        Effect.flatMap(manager, (one) =>
          one.enqueue(definitions[name], { plan }, {
            ...key === null ? {} : { idempotencyKey: key },
            ...delayed ? { delay: World.spell } : {}
          })),
        ({ _tag, taskId }) => ({ says: _tag, task: indexOf(taskId) })
      )

    const retry = (index: number) =>
      Effect.match(Effect.flatMap(manager, (one) => one.retry(ids[index]!)), {
        onSuccess: (id) => ({ says: "retried", task: indexOf(id) }),
        onFailure: (error) => ({
          says: error._tag,
          task: error._tag === "TaskAlreadyRetried"
            ? indexOf(error.retriedAs)
            : error._tag === "TaskKeyHeld"
            ? indexOf(error.heldBy)
            : null
        })
      })

    const cancel = (index: number) =>
      Effect.match(Effect.flatMap(manager, (one) => one.cancel(ids[index]!)), {
        onSuccess: (says) => ({ says: says as string, task: null }),
        onFailure: ({ _tag }) => ({ says: _tag as string, task: null })
      })

    const end = (how: "restart" | "crash") =>
      Effect.gen(function*() {
        const before = engine
        if (how === "crash") {
          yield* before.cut
        } else {
          // It says goodbye in virtual time.
          yield* Effect.zipRight(Effect.fork(before.close), TestClock.adjust("10 seconds"))
        }
        engine = yield* begin
      })

    const holds = Effect.flatMap(manager, (one) =>
      Effect.forEach(ids, (id) =>
        Effect.map(one.get(id), (record): Seen => ({
          status: record.status,
          attempts: record.attempts,
          failures: record.failures,
          waits: record.nextAttemptAt !== null,
          stopReason: record.stopReason,
          retryOf: indexOf(record.retryOf),
          retriedAs: indexOf(record.retriedAs),
          starts: starts.get(id) ?? 0
        }))))

    const expected = (): ReadonlyArray<Seen> =>
      world.tasks.map((task) => ({
        status: task.status,
        attempts: task.attempts,
        failures: task.failures,
        waits: task.status === "running" && task.due !== null,
        stopReason: task.stopReason,
        retryOf: task.retryOf,
        retriedAs: task.retriedAs,
        // At most one start for an attempt, and an attempt that was counted was started.
        starts: task.attempts
      }))

    const run = (command: Command, now: number) =>
      Effect.gen(function*() {
        switch (command.do) {
          case "enqueue":
            return [yield* enqueue(command.wish), World.enqueue(world, command.wish, now)]
          case "cancel":
          case "retry": {
            if (ids.length === 0) {
              return []
            }
            const index = command.nth % ids.length
            return command.do === "cancel"
              ? [yield* cancel(index), World.cancel(world, index)]
              : [yield* retry(index), World.retry(world, index, now)]
          }
          case "pause": {
            const says = yield* Effect.flatMap(manager, (one) =>
              one.pause(command.name ?? undefined))
            return [{ says, task: null }, World.pause(world, command.name)]
          }
          case "resume": {
            const done = yield* Effect.flatMap(manager, (one) =>
              one.resume(command.name ?? undefined))
            return [{ says: done ? "resumed" : "notPaused", task: null }, World.resume(world, command.name)]
          }
          case "wait":
            yield* TestClock.adjust(World.spell + minute)
            return []
          case "restart":
          case "crash":
            yield* end(command.do)
            World.stopped(world, command.do === "crash" ? "instanceDied" : "shutdown", now)
            return []
        }
      })

    for (const [index, command] of commands.entries()) {
      const before = yield* Clock.currentTimeMillis
      const answers = yield* run(command, before)
      const after = yield* Clock.currentTimeMillis
      const late = command.do === "crash" ? slack.dead : slack.alive
      yield* TestClock.adjust(World.pass(world, before, after + late, late) - after)
      const at = `after command ${index}: ${JSON.stringify(command)}`
      deepStrictEqual(answers[0], answers[1], at)
      const wanted = expected()
      const same = (seen: ReadonlyArray<Seen>) => JSON.stringify(seen) === JSON.stringify(wanted)
      // What the last moment of the clock set off goes on for a moment, which is real: a thousand looks, then it differs.
      let looks = 0
      deepStrictEqual(yield* eventually(holds, (seen) => same(seen) || ++looks > 1_000), wanted, at)
    }
  })
