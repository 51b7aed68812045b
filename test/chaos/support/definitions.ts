/** The tasks of the application under fire. */
import { Schema } from "effect"
import { Task } from "effect-taskflow"

const payload = {
  /** Says which call of `enqueue` made it. */
  nonce: Schema.String,
  millis: Schema.Int
}

/** Which attempt it was whose outcome is on the record. */
const success = Schema.Struct({ fence: Schema.Int, life: Schema.String })

export class Broken extends Schema.TaggedError<Broken>()("Broken", {}) {}

/** Starts again elsewhere when its process dies. */
export const Again = Task.make("chaos/again", { payload, success, requeueOnInterrupt: true })
/** Is started once at most, whatever happens. */
export const Once = Task.make("chaos/once", { payload, success, requeueOnInterrupt: false })
/** Enqueued with a delay. */
export const Later = Task.make("chaos/later", { payload, success, requeueOnInterrupt: true })
/** Several processes enqueue it with the same key. */
export const Keyed = Task.make("chaos/keyed", { payload, success, requeueOnInterrupt: true })
/** Somebody cancels it. */
export const Doomed = Task.make("chaos/doomed", { payload, success, requeueOnInterrupt: true })
/** Fails once. */
export const Flaky = Task.make("chaos/flaky", {
  payload,
  success,
  error: Broken,
  retry: { retries: 3, delay: "200 millis" }
})
/** Fails always. */
export const Hopeless = Task.make("chaos/hopeless", {
  payload,
  success,
  error: Broken,
  retry: { retries: 2, delay: "100 millis" }
})
/** Writes a row in the transaction of its end. What its own statements meet in an outage is the handler's, so it tries often. */
export const Booked = Task.make("chaos/booked", {
  payload,
  success,
  transactional: true,
  // On SQLite nobody else writes meanwhile.
  concurrency: 1,
  timeout: "1500 millis",
  retry: { retries: 100, delay: "300 millis" }
})
/** Enqueued in a transaction with a row. */
export const Placed = Task.make("chaos/placed", { payload, success, requeueOnInterrupt: true })
/** Made by a schedule. */
export const Tick = Task.make("chaos/tick", { payload, success, requeueOnInterrupt: true })

/** Known to the older version of the application only, to both in two versions, to the newer one only. */
export const Retired = Task.make("chaos/retired", { payload, success, requeueOnInterrupt: true })
export const SharedThen = Task.make("chaos/shared", { payload, success, requeueOnInterrupt: true, version: 1 })
export const SharedNow = Task.make("chaos/shared", {
  payload: { ...payload, added: Schema.optionalWith(Schema.String, { default: () => "nothing" }) },
  success,
  requeueOnInterrupt: true,
  version: 2
})
export const Added = Task.make("chaos/added", { payload, success, requeueOnInterrupt: true })

export const tickName = "ticks"
