/** What an instance says of itself with its heartbeats, and what it is asked with their answers. */
import * as Effect from "effect/Effect"
import type { Vitals } from "../TaskPeer.js"

/** What the engine knows, and does. Each is quick. */
export interface Steered {
  /** Attempts under way, and tasks in the window. */
  readonly load: () => { readonly active: number; readonly waiting: number }
  /** This instance was asked to claim nothing more, or to claim again. */
  readonly onDraining: (draining: boolean) => void
}

export const make = (maxConcurrentTasks: number, listeners: ReadonlyArray<Steered>) => {
  let draining = false
  let lag = 0
  return {
    isDraining: () => draining,
    /** The event loop was so late, in milliseconds. */
    late: (millis: number): void => {
      lag = Math.max(lag, millis)
    },
    vitals: (): Vitals => {
      const load = { active: 0, waiting: 0 }
      for (const listener of listeners) {
        const { active, waiting } = listener.load()
        load.active += active
        load.waiting += waiting
      }
      const worst = Math.round(lag)
      lag = 0
      return { slots: { max: maxConcurrentTasks, active: load.active }, waiting: load.waiting, lag: worst }
    },
    asked: (drain: boolean): Effect.Effect<void> => {
      if (drain === draining) return Effect.void
      draining = drain
      for (const { onDraining } of listeners) onDraining(drain)
      return Effect.logInfo(
        drain
          ? "task lease: this instance is drained: what runs here may finish, everything else is for others"
          : "task lease: this instance claims tasks again"
      )
    }
  }
}
