/** What an instance says of itself with its heartbeats, and what it is asked with their answers. */
import * as Effect from "effect/Effect"
import type { Paused } from "../ControlStore.js"
import type { Vitals } from "../TaskPeer.js"
import { digestOf, nothingPaused } from "./pauses.js"

/** What the engine knows, and does. Each is quick. */
export interface Steered {
  /** Attempts under way, and tasks in the window. */
  readonly load: () => {
    readonly active: number
    readonly waiting: number
    /** Names that have a handler here. */
    readonly tasks?: ReadonlyArray<string>
  }
  /** This instance was asked to claim nothing more, or to claim again. */
  readonly onDraining: (draining: boolean) => void
  /** Other names are paused than before: some more, some not any longer, or both. */
  readonly onPaused: () => void
}

const words = ({ everything, names }: Paused): string =>
  everything ? "everything is" : names.length === 0 ? "nothing is" : `${names.length} task names are`

// A heartbeat stays small.
const maxNames = 500

export const make = (maxConcurrentTasks: number, listeners: ReadonlyArray<Steered>) => {
  let draining = false
  let lag = 0
  let everything = false
  let names: ReadonlySet<string> = new Set()
  let heeds = digestOf(nothingPaused)
  return {
    isDraining: () => draining,
    isPaused: (taskName: string) => everything || names.has(taskName),
    /** A digest of the pauses that are heeded. */
    heeds: () => heeds,
    /** The event loop was so late, in milliseconds. */
    late: (millis: number): void => {
      lag = Math.max(lag, millis)
    },
    vitals: (): Vitals => {
      const load = { active: 0, waiting: 0 }
      const names = new Set<string>()
      for (const listener of listeners) {
        const { active, tasks = [], waiting } = listener.load()
        for (const name of tasks) names.add(name)
        load.active += active
        load.waiting += waiting
      }
      const worst = Math.round(lag)
      lag = 0
      return {
        slots: { max: maxConcurrentTasks, active: load.active },
        waiting: load.waiting,
        lag: worst,
        heeds,
        tasks: [...names].sort().slice(0, maxNames)
      }
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
    },
    /** Takes over what is paused now; true when that is news. */
    paused: (paused: Paused): Effect.Effect<boolean> => {
      const digest = digestOf(paused)
      if (digest === heeds) return Effect.succeed(false)
      heeds = digest
      everything = paused.everything
      names = new Set(paused.names)
      for (const { onPaused } of listeners) onPaused()
      return Effect.as(Effect.logInfo(`task lease: ${words(paused)} paused`), true)
    }
  }
}
