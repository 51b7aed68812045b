/** What a supervisor tells a worker, what a worker answers, and the tasks both know. */
import { Schema } from "effect"
import { Task } from "effect-taskflow"
import type { Place, SqlPlace } from "./places.js"

/** The whole life of one process, given on its command line. */
export interface Orders {
  readonly slot: number
  /** `slot.life`, as the rows of its handlers say it. */
  readonly life: string
  readonly tasks: Place
  readonly effects: SqlPlace
  /** Seconds. */
  readonly lease: number
  readonly sameHost: boolean
  /** How many tasks this slot enqueues in all its lives, how many of them earlier lives did, and over how many seconds. */
  readonly share: number
  readonly acknowledged: number
  readonly over: number
  /** Enqueues under way at once. */
  readonly atOnce: number
  /** When enqueueing began, in epoch milliseconds; null for a first life, which is told when all are there. */
  readonly since: number | null
  /** One line is appended for each acknowledged task. */
  readonly acks: string
  readonly seed: number
  /** What it schedules beside that; null: nothing. */
  readonly schedule: Ticking | null
}

/** A schedule of a task that takes no time. */
export interface Ticking {
  readonly name: string
  /** Milliseconds. */
  readonly every: number
  readonly misfire: "skip" | "once" | "all"
}

export type ToWorker = { readonly _tag: "Go"; readonly since: number }
export type FromWorker = { readonly _tag: "Ready" }

const payload = { millis: Schema.Int }

/** Starts again elsewhere when its process dies. */
export const Again = Task.make("chaos/again", { payload, requeueOnInterrupt: true })
/** Is started once at most, whatever happens. */
export const Once = Task.make("chaos/once", { payload, requeueOnInterrupt: false })

/** Numbers in [0, 1) that the seed decides (mulberry32). */
export const random = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
