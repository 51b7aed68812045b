/** What an instance says of itself with its heartbeats, and what it is asked with their answers. */
import * as Effect from "effect/Effect"
import type { Paused } from "../ControlStore.js"
import type { TaskLimit, Vitals } from "../TaskPeer.js"
import { digestOf, nothingPaused } from "./pauses.js"
import { memoryNow } from "./processFacts.js"

/** What the engine knows, and does. Each is quick. */
export interface Steered {
  /** Attempts under way, and tasks in the window. */
  readonly load: () => {
    readonly active: number
    readonly waiting: number
    /** Names that have a handler here. */
    readonly tasks?: ReadonlyArray<string>
    /** Names with a bound of their own. */
    readonly limits?: ReadonlyArray<TaskLimit>
    /** How long tasks waited that lately started. */
    readonly waits?: Vitals["waits"]
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
const maxLimits = 50
// Of the event loop, two a second.
const turnsKept = 20

const fullest = (a: TaskLimit, b: TaskLimit): number =>
  b.active / b.max - a.active / a.max || (a.task < b.task ? -1 : 1)

export interface Steering {
  readonly maxConcurrentTasks: number
  readonly heartbeatInterval: number
  /** Whether heartbeats are sent. Without them what was late long ago is forgotten by itself. */
  readonly beats: boolean
  /** Of the engine, in epoch milliseconds. */
  readonly startedAt: number
  readonly listeners: ReadonlyArray<Steered>
}

export const make = ({ beats, heartbeatInterval, listeners, maxConcurrentTasks, startedAt }: Steering) => {
  let draining = false
  let lag = 0
  let lagTold = 0
  let turns = 0
  let everything = false
  let names: ReadonlySet<string> = new Set()
  let heeds = digestOf(nothingPaused)
  const vitals = (worst: number): Vitals => {
    const load = { active: 0, waiting: 0 }
    const names = new Set<string>()
    const limits: Array<TaskLimit> = []
    let waits: Vitals["waits"] = null
    for (const listener of listeners) {
      const { active, limits: bounded = [], tasks = [], waiting, waits: waited = null } = listener.load()
      for (const name of tasks) names.add(name)
      limits.push(...bounded)
      load.active += active
      load.waiting += waiting
      waits = waited ?? waits
    }
    return {
      slots: { max: maxConcurrentTasks, active: load.active },
      waiting: load.waiting,
      lag: Math.round(worst),
      heeds,
      tasks: [...names].sort().slice(0, maxNames),
      process: { startedAt, ...memoryNow() },
      beatEvery: heartbeatInterval,
      waits,
      limits: limits.sort(fullest).slice(0, maxLimits)
    }
  }
  return {
    isDraining: () => draining,
    isPaused: (taskName: string) => everything || names.has(taskName),
    /** A digest of the pauses that are heeded. */
    heeds: () => heeds,
    /** The event loop was so late, in milliseconds. */
    late: (millis: number): void => {
      lag = Math.max(lag, millis)
      turns += 1
      if (beats || turns % turnsKept !== 0) return
      lagTold = lag
      lag = 0
    },
    /** What the next heartbeat says. */
    vitals: (): Vitals => {
      lagTold = lag
      lag = 0
      return vitals(lagTold)
    },
    /** The same for somebody who asks in between. */
    vitalsNow: (): Vitals => vitals(Math.max(lag, lagTold)),
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
