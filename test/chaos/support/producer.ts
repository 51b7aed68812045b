/** Enqueues a bit of everything at an even pace, and writes down what it was answered. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { Cause, Effect, Either } from "effect"
import { type EnqueueResult, type Task, TaskManager } from "effect-taskflow"
import * as Books from "./books.js"
import * as Tasks from "./definitions.js"
import type { Orders } from "./orders.js"
import { random } from "./random.js"
import { realNow, type Sighting } from "./witness.js"

type Enqueue = (options?: Task.EnqueueOptions) => Effect.Effect<EnqueueResult, unknown, TaskManager>

interface Call {
  readonly kind: string
  readonly nonce: string
  readonly key: string | null
  readonly enqueue: Effect.Effect<EnqueueResult, unknown, TaskManager>
}

// Calls under way at once: more would only wait in the journal.
const atOnce = 200
// How many of the enqueued tasks somebody awaits.
const awaited = 0.1
// How long all processes mean the same key, in milliseconds.
const keyEvery = 400

export const make = (options: {
  readonly orders: Orders
  readonly say: (sighting: Sighting) => void
  /** Of the application; null where there is no SQL. */
  readonly sql: SqlClient | null
  readonly isQuiet: () => boolean
}) => {
  const { isQuiet, orders, say, sql } = options
  const { deployment, life, place, rate } = orders
  const next = random(orders.seed)
  let calls = 0
  let underWay = 0

  const inTransaction = (nonce: string, enqueue: Enqueue) =>
    sql === null || place.kind === "redis"
      ? enqueue()
      : sql.withTransaction(Effect.zipRight(Books.putPlaced(sql, place, nonce), enqueue()))

  const call = (): Call => {
    calls += 1
    const nonce = `${life}#${calls}`
    const payload = { nonce, millis: 20 + Math.floor(next() * 500) }
    const of = (kind: string, enqueue: Enqueue, options: Task.EnqueueOptions = {}): Call => ({
      kind,
      nonce,
      key: options.idempotencyKey ?? null,
      enqueue: enqueue(options)
    })
    const shared = deployment === "older" ? Tasks.SharedThen : Tasks.SharedNow
    const draw = Math.floor(next() * 100)
    if (draw < 25) return of("again", (with_) => Tasks.Again.enqueue(payload, with_))
    if (draw < 45) return of("once", (with_) => Tasks.Once.enqueue(payload, with_))
    if (draw < 53) {
      // Some wait for longer than a clock that is not put right would be mistaken for.
      const delay = next() < 0.2 ? 8_000 : 200 + Math.floor(next() * 2_000)
      return of("later", (with_) => Tasks.Later.enqueue(payload, with_), { delay })
    }
    if (draw < 63) {
      const idempotencyKey = `key ${Math.floor(realNow() / keyEvery)}`
      return of("keyed", (with_) => Tasks.Keyed.enqueue(payload, with_), { idempotencyKey })
    }
    if (draw < 70) {
      // Some wait when they are cancelled, some run.
      const delay = next() < 0.5 ? 20_000 : 0
      return of(
        "doomed",
        (with_) => Tasks.Doomed.enqueue({ nonce, millis: 4_000 }, with_),
        delay === 0 ? {} : { delay }
      )
    }
    if (draw < 76) return of("flaky", (with_) => Tasks.Flaky.enqueue(payload, with_))
    if (draw < 79) return of("hopeless", (with_) => Tasks.Hopeless.enqueue({ nonce, millis: 10 }, with_))
    if (draw < 82 && sql !== null) return of("booked", (with_) => Tasks.Booked.enqueue({ nonce, millis: 5 }, with_))
    if (draw < 89 && sql !== null) {
      return of("placed", () => inTransaction(nonce, () => Tasks.Placed.enqueue(payload)))
    }
    if (draw < 92 && deployment !== "newer") return of("retired", (with_) => Tasks.Retired.enqueue(payload, with_))
    if (draw < 95 && deployment !== "older") return of("added", (with_) => Tasks.Added.enqueue(payload, with_))
    return of("shared", (with_) => shared.enqueue(payload, with_))
  }

  const result = (taskId: string) =>
    Effect.flatMap(TaskManager, (manager) => {
      say({ what: "awaiting", taskId })
      return Effect.match(manager.awaitResult(taskId), {
        onFailure: () => say({ what: "unheard", taskId }),
        onSuccess: ({ status }) => say({ what: "awaited", taskId, status })
      })
    })

  const one = Effect.gen(function*() {
    const { enqueue, key, kind, nonce } = call()
    say({ what: "asked", nonce })
    // A driver that dies of a lost connection says as much as one that fails.
    const answer = yield* Effect.either(Effect.sandbox(enqueue))
    if (Either.isLeft(answer)) {
      if (Cause.isInterrupted(answer.left)) return
      return say({ what: "refused", kind, nonce, error: Cause.pretty(answer.left).slice(0, 600) })
    }
    const { _tag, taskId } = answer.right
    say({ what: "enqueued", kind, nonce, key, taskId, fresh: _tag === "Enqueued" })
    if (next() < awaited) yield* Effect.forkDaemon(result(taskId))
  }).pipe(Effect.ensuring(Effect.sync(() => {
    underWay -= 1
  })))

  /** Goes on until it is interrupted. */
  return Effect.gen(function*() {
    const begun = realNow()
    let due = 0
    while (true) {
      // What could not be enqueued in time is not made up for: a process that was stopped does not come back with a flood.
      const now = Math.floor((realNow() - begun) / 1_000 * rate)
      const count = isQuiet() ? 0 : Math.min(now - due, Math.ceil(rate), atOnce - underWay)
      due = now
      for (let left = count; left > 0; left -= 1) {
        underWay += 1
        yield* Effect.fork(one)
      }
      yield* Effect.sleep("20 millis")
    }
  })
}
