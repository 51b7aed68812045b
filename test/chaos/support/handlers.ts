/** What the tasks of the application do: they say that they began, take their time, and say that they ended. */
import * as SqlClient from "@effect/sql/SqlClient"
import { Effect, Layer } from "effect"
import { TaskContext, TaskSchedule } from "effect-taskflow"
import { maxCatchUp } from "../invariants/slots.js"
import * as Books from "./books.js"
import * as Tasks from "./definitions.js"
import type { Orders } from "./orders.js"
import type { SqlPlace } from "./places.js"
import type { Sighting } from "./witness.js"

interface Payload {
  readonly nonce: string
  readonly millis: number
}

type Say = (sighting: Sighting) => void

const work =
  (orders: Orders, say: Say, kind: string) =>
  <E, R>(inside: (taskId: string) => Effect.Effect<void, E, R>) =>
  ({ millis, nonce }: Payload) =>
    Effect.gen(function*() {
      const { fence, taskId } = yield* TaskContext.current
      const told = (what: "finished" | "interrupted") => Effect.sync(() => say({ what, taskId, fence }))
      say({ what: "started", kind, taskId, fence, nonce })
      return yield* Effect.sleep(millis).pipe(
        Effect.zipRight(inside(taskId)),
        Effect.zipRight(told("finished")),
        Effect.as({ fence, life: orders.life }),
        Effect.onInterrupt(() => told("interrupted"))
      )
    })

export const layer = (orders: Orders, say: Say) => {
  const { deployment, every } = orders
  const nothing = () => Effect.void
  const plain = (kind: string) => work(orders, say, kind)(nothing)
  const fails = (often: (attempt: number) => boolean) => () =>
    Effect.flatMap(TaskContext.current, ({ attempt }) => often(attempt) ? new Tasks.Broken() : Effect.void)

  const common = Layer.mergeAll(
    Tasks.Again.toLayer(plain("again")),
    Tasks.Once.toLayer(plain("once")),
    Tasks.Later.toLayer(plain("later")),
    Tasks.Keyed.toLayer(plain("keyed")),
    Tasks.Doomed.toLayer(plain("doomed")),
    Tasks.Placed.toLayer(plain("placed")),
    Tasks.Tick.toLayer(plain("tick")),
    Tasks.Flaky.toLayer(work(orders, say, "flaky")(fails((attempt) => attempt === 0))),
    Tasks.Hopeless.toLayer(work(orders, say, "hopeless")(fails(() => true)))
  )
  const schedule = TaskSchedule.layer(Tasks.Tick, {
    name: Tasks.tickName,
    every,
    misfire: "all",
    maxCatchUp,
    payload: { nonce: "tick", millis: 0 }
  })
  const older = Layer.mergeAll(Tasks.Retired.toLayer(plain("retired")), Tasks.SharedThen.toLayer(plain("shared")))
  const newer = Layer.mergeAll(Tasks.Added.toLayer(plain("added")), Tasks.SharedNow.toLayer(plain("shared")))
  const both = Layer.merge(Tasks.Retired.toLayer(plain("retired")), newer)
  return Layer.mergeAll(common, schedule, { older, newer, both }[deployment])
}

/** The same where the application has an SqlClient. */
export const sqlLayer = (orders: Orders, say: Say, place: SqlPlace) =>
  Layer.merge(
    layer(orders, say),
    Tasks.Booked.toLayer(
      work(orders, say, "booked")((taskId) =>
        Effect.flatMap(SqlClient.SqlClient, (sql) => Effect.orDie(Books.book(sql, place, taskId)))
      )
    )
  )
