/** Why slots do not fire here for the time being. Each reason is said once. */
import type { TaskDispatcher } from "../TaskDispatcher.js"
import type { TaskflowConfig } from "../TaskflowConfig.js"
import type { TaskInstance } from "../TaskInstance.js"
import type { TaskStore } from "../TaskStore.js"
import type { Hindrance } from "./firing.js"

const soon: Hindrance = { millis: 1_000 }

export const make = (options: {
  readonly config: Pick<TaskflowConfig["Type"], "lease" | "heartbeatInterval">
  readonly dispatcher: Pick<TaskDispatcher["Type"], "isStopping">
  readonly instance: Pick<TaskInstance["Type"], "offset">
  readonly store: Pick<TaskStore["Type"], "unfinished">
  /** Whether the time may be told by the clock now. */
  readonly isClockRight: () => boolean
  /** How many unfinished tasks fit, where they can be counted. */
  readonly maxLive: number
  readonly warn: (message: string) => void
}): () => Hindrance | null => {
  const { config, dispatcher, instance, isClockRight, maxLive, store, warn } = options
  const said = new Set<string>()
  const once = (about: string, message: () => string): void => {
    if (said.has(about)) return
    said.add(about)
    warn(message())
  }
  return () => {
    if (dispatcher.isStopping()) return soon
    if (!isClockRight()) return soon
    const offset = instance.offset()
    if (Math.abs(offset) > config.lease) {
      once(
        "clock",
        () =>
          `task schedules: this machine's clock is ${Math.round(Math.abs(offset) / 1_000)} s ${
            offset > 0 ? "behind" : "ahead of"
          } the backend's, more than the lease: no slot is fired here until it is right; is NTP running?`
      )
      return { millis: config.heartbeatInterval }
    }
    if (store.unfinished() < maxLive) return null
    once(
      "full",
      () =>
        `task schedules: ${maxLive} tasks have not ended (maxLive), no slot is fired until there is room: they come in faster ` +
        "than they run"
    )
    return soon
  }
}
