/** The tasks of `leak.ts`: together they use everything that a task can. The worker imports them too. */
import { Schema } from "effect"
import { Task } from "effect-taskflow"

const n = { n: Schema.Number }

export const Plain = Task.make("leak.plain", { payload: n })
/** Fails twice, then succeeds. */
export const Flaky = Task.make("leak.flaky", {
  payload: n,
  error: Schema.String,
  retry: { retries: 3, delay: "100 millis", backoff: 2 }
})
/** Fails for good; its message has another number each time. */
export const Broken = Task.make("leak.broken", { payload: { ...n, text: Schema.String }, retry: { retries: 1 } })
/** Log lines, progress, an unusual result. */
export const Talking = Task.make("leak.talking", { payload: n, success: Schema.String })
/** Never ends by itself. */
export const Endless = Task.make("leak.endless", { payload: n })
/** Takes longer than it may. */
export const Late = Task.make("leak.late", { payload: n, timeout: "50 millis" })
/** Asks for a later start once. */
export const Snoozing = Task.make("leak.snoozing", { payload: n })
/** Its key is free again after a while. */
export const Keyed = Task.make("leak.keyed", { payload: n, keyTtl: "20 seconds" })
export const Large = Task.make("leak.large", { payload: { ...n, text: Schema.String }, success: Schema.String })
/** Of schedules. */
export const Ticking = Task.make("leak.ticking", { payload: n })
/** In a thread. */
export const Computing = Task.make("leak.computing", { payload: n, success: Schema.Number, executor: "thread" })
