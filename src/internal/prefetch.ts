/**
 * How much of a shared backlog is worth holding ready: what will probably start within 200 milliseconds. Pure state.
 *
 * What waits in a window here is not looked for elsewhere. Of tasks that take long none is held, so idle instances find them
 * all; of short ones so many that no free slot has to wait for a claim.
 */

const horizon = 200
// How much the latest attempt counts: about the last ten make the mean.
const weight = 0.2

export interface Prefetch {
  /** An attempt held its slot for so many milliseconds. */
  readonly add: (taskName: string, millis: number) => void
  /** How many of this name to hold; Infinity before anything is known. */
  readonly most: (taskName: string) => number
}

/** `slotsOf`: how many of a name run at once here. `counts`: whether a name matters; others are not remembered. */
export const make = (slotsOf: (taskName: string) => number, counts: (taskName: string) => boolean): Prefetch => {
  const means = new Map<string, number>()
  return {
    add: (taskName, millis) => {
      if (!counts(taskName)) return
      const mean = means.get(taskName)
      means.set(taskName, mean === undefined ? millis : mean + weight * (millis - mean))
    },
    most: (taskName) => {
      const mean = means.get(taskName)
      if (mean === undefined || mean <= 0) return Number.POSITIVE_INFINITY
      return Math.floor(slotsOf(taskName) * horizon / mean)
    }
  }
}
