/**
 * What is kept of ended tasks beyond their records: how many ended, how long they took, how long they had waited, summed up
 * by time and name. Plain data between the port and those who draw charts.
 */
import type { Terminal } from "./TaskStatus.js"

/**
 * Which ends, and how to sum them up.
 *
 * Ends are known by the minute for three hours, by the hour for thirty days, and as one sum of all time before, which stands
 * at 0. What is known by the hour is told at the beginning of its hour, in whichever slot that is.
 */
export interface RollupQuery {
  /**
   * Epoch milliseconds. Whole slots are answered: from the one that `since` is in to the one before or around `until`, and of
   * more than 1,500 the last 1,500. Nothing for what is no number.
   */
  readonly since: number
  /** Epoch milliseconds: up to the slot before, or around, it. */
  readonly until: number
  /**
   * Of a slot, in milliseconds: whole minutes, a part of one counts as one. A slot begins at a multiple of it. `Infinity`: all
   * time is one slot, which begins at 0.
   */
  readonly width: number
  /** Of this name alone. Default: of all names. */
  readonly taskName?: string | undefined
  /** Of these names alone. Of none nothing is told. Default: of all. */
  readonly taskNames?: ReadonlyArray<string> | undefined
  /** By name too, the thousand names with the most ends. Default false: all names together. */
  readonly byTask?: boolean | undefined
  /** Default false. True: the same slots put together as one, which begins with the first of them. */
  readonly asOne?: boolean | undefined
  /** Default true. False: `buckets` are empty, which costs a fraction where there are many names and slots. */
  readonly histograms?: boolean | undefined
}

/**
 * How long something took, of many: milliseconds. `buckets` are those of a histogram that grow by ten percent, which say
 * about how many took how long; the buckets of two add up.
 */
export interface Distribution {
  readonly count: number
  readonly sum: number
  readonly min: number | null
  readonly max: number | null
  readonly buckets: ReadonlyMap<number, number>
}

/** The ends of one slot. A task counts when it ends, however long its record is kept. */
export interface Rollup {
  /** When the slot begins: epoch milliseconds. */
  readonly at: number
  /** Null where all names are together. */
  readonly taskName: string | null
  readonly ends: { readonly [Status in Terminal]: number }
  /** From the first start to the end, of what succeeded or failed. */
  readonly durations: Distribution
  /** From when a task might first start (its creation, or its `runAt`) to its first start, of all that ever started. */
  readonly waits: Distribution
}
