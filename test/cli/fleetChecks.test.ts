/** What the doctor says of those who work on a database and of what waits there, asked through the port. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type TaskBackend, TaskEvent } from "effect-taskflow"
import * as FleetChecks from "../../src/cli/fleetChecks.js"
import { version } from "../../src/internal/version.js"
import { sharedBackend } from "../support/engine.js"
import { batchOf, facts, instance, now, task } from "../support/sql.js"

const [minute, hour, day] = [60_000, 3_600_000, 86_400_000]
const other = TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000002")

const found = (backend: TaskBackend["Type"], at: number) =>
  Effect.map(
    Effect.flatMap(FleetChecks.make(backend, at), (checks) => Effect.forEach(checks, ({ run }) => run)),
    (all) => all.flat().map(({ code, count, example, level }) => ({ code, count, example, level }))
  )

/** An instance that beats at this moment, with handlers for these names. */
const alive = (
  backend: TaskBackend["Type"],
  at: number,
  tasks: ReadonlyArray<string>,
  id = instance,
  taskflow = version
) =>
  Effect.zipRight(
    backend.attach({ ...facts(id), versions: { app: null, taskflow } }, at),
    backend.heartbeat(id, at, { slots: { max: 1, active: 0 }, waiting: 0, lag: 0, tasks, beatEvery: 10_000 })
  )

const schedule = (name: string, origin: "code" | "dynamic") =>
  ({ name, taskName: "send_email", definition: name, origin, anchor: now, spec: "{}" }) as const

describe("the fleet", () => {
  it.effect("is well when somebody is alive and nothing waits", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      expect(yield* found(backend, now)).toEqual([])
      yield* alive(backend, now, ["send_email"])
      expect(yield* found(backend, now + minute)).toEqual([])
    }))

  it.effect("has members that said nothing for minutes, and of other versions", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      yield* alive(backend, now, ["send_email"])
      yield* alive(backend, now + hour, ["send_email"], other, "0.0.1")
      expect(yield* found(backend, now + hour)).toEqual([
        {
          code: "instances.silent",
          count: 1,
          level: "problem",
          example: `${instance} on h, last heard 2001-09-09 01:46:40Z`
        },
        { code: "instances.version", count: 1, level: "note", example: `${other} on h: 0.0.1` }
      ])
    }))

  it.effect("leaves tasks alone that it could have started", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      yield* alive(backend, now, ["send_email"])
      const waiting = task()
      yield* backend.write(batchOf(1, [waiting, task({ runAt: now + 5 * hour }), task({ taskName: "send_email" })]))
      expect(yield* found(backend, now + minute)).toEqual([])
      yield* alive(backend, now + 2 * hour, ["send_email"])
      expect(yield* found(backend, now + 2 * hour)).toEqual([
        { code: "backlog", count: 2, level: "problem", example: `${waiting.taskId} (send_email)` }
      ])
      // What is paused waits because somebody wants it to.
      yield* backend.controls.pause({ _tag: "Task", name: "send_email" }, "ada", now)
      expect(yield* found(backend, now + 2 * hour)).toEqual([])
    }))

  it.effect("has pauses that may be forgotten", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      yield* backend.controls.pause({ _tag: "Task", name: "send_email" }, "ada", now)
      expect(yield* found(backend, now + hour)).toEqual([])
      expect(yield* found(backend, now + 2 * day)).toEqual([
        { code: "paused", count: null, level: "note", example: "send_email" }
      ])
    }))

  it.effect("is told what to paste into a shell as words, whatever a task is called", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      yield* backend.controls.pause({ _tag: "Task", name: "a\"$(id)'" }, "ada", now)
      const checks = yield* FleetChecks.make(backend, now + 2 * day)
      const [first] = (yield* Effect.forEach(checks, ({ run }) => run)).flat()
      expect(first?.todo).toBe("effect-taskflow resume 'a\"$(id)'\\''', if it is not meant to be")
    }))

  it.effect("has nobody who works when all that is there is a dashboard", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      yield* alive(backend, now, [])
      yield* backend.write(batchOf(1, [task()]))
      expect(yield* found(backend, now)).toEqual([
        { code: "workers.none", count: 1, level: "problem", example: "send_email" }
      ])
    }))

  it.effect("has schedules that nobody defines, or whose tasks nobody runs", () =>
    Effect.gen(function*() {
      const backend = yield* sharedBackend
      yield* backend.schedules.define(schedule("nightly", "code"), now)
      yield* backend.schedules.define(schedule("mine", "dynamic"), now)
      yield* alive(backend, now + hour, ["something_else"])
      expect((yield* found(backend, now + hour)).map(({ code, count }) => [code, count])).toEqual([
        ["schedules.undefined", 1],
        ["schedules.unhandled", 1]
      ])
      yield* backend.schedules.define(schedule("nightly", "code"), now + hour)
      yield* backend.schedules.pause("mine", now + hour)
      expect(yield* found(backend, now + hour)).toEqual([])
    }))
})
