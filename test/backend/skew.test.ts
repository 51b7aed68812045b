/** Clocks two hours apart, on one database: nobody takes the other for dead, and both run what they are given. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Layer, Schema } from "effect"
import { Task, TaskBackend, TaskEvent, TaskflowLayer, TaskManager } from "effect-taskflow"
import { collectedLogs } from "../support/engine.js"
import { databases } from "../support/sql.js"

const Job = Task.make("job", { payload: { n: Schema.Int }, success: Schema.Int })
const hour = 3_600_000

// The clock of a machine that is off: time goes on as it does, from another moment.
const off = (millis: number): Clock.Clock => {
  const real = Clock.make()
  const now = () => real.unsafeCurrentTimeMillis() + millis
  return Object.assign(Object.create(real), { unsafeCurrentTimeMillis: now, currentTimeMillis: Effect.sync(now) })
}

for (const database of databases) {
  describe.skipIf(!database.present)(`clocks that are off on ${database.name}`, () => {
    it.scopedLive("take nobody for dead", () =>
      Effect.gen(function*() {
        const place = yield* database.place
        const engineAt = (millis: number) =>
          Layer.build(
            Job.toLayer(({ n }) => Effect.succeed(n)).pipe(
              Layer.provideMerge(
                TaskflowLayer({
                  announce: false,
                  shutdownTimeout: 0,
                  lease: "2 seconds",
                  heartbeatInterval: "200 millis",
                  sameHostDetection: false
                })
              ),
              Layer.provideMerge(database.layer(place))
            )
          ).pipe(Effect.withClock(off(millis)))
        const engines = [yield* engineAt(hour), yield* engineAt(-hour)]
        const before = yield* Effect.forEach(engines, (one) => Effect.provide(TaskManager, one))
        const names = before.map(({ instance }) => instance)
        // Longer than a lease is watched.
        const watcher = TaskEvent.InstanceId.make("00000000-0000-4000-8000-00000000000f")
        const beats = Effect.provide(
          Effect.flatMap(TaskBackend, (backend) => backend.heartbeat(watcher, 0)),
          engines[0]!
        )
        while (!(yield* beats).peers.every(({ beat }) => beat >= 15)) yield* Effect.sleep("20 millis")
        const states = (yield* beats).peers.map(({ id, state }) => [id, state] as const).sort()
        expect(states).toEqual(names.map((id) => [id, "live"] as const).sort())
        expect(before.map(({ instance }) => instance)).toEqual(names)
        const results = yield* Effect.forEach(engines, (one, n) => Effect.provide(Job.execute({ n }), one))
        expect(results).toEqual([0, 1])
      }).pipe(Effect.provide(collectedLogs().layer)))
  })
}
