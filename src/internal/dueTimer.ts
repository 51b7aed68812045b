/**
 * One alarm at the earliest of the times it was told. Pure but for the timers it is given.
 */
import type { Timers } from "./timers.js"

/** Calls `wake` once at the earliest time asked for since it last woke. */
export const make = (timers: Timers, wake: () => void): (at: number) => void => {
  let cancel = () => {}
  let next = Number.POSITIVE_INFINITY
  return (at) => {
    if (at >= next) return
    cancel()
    next = at
    cancel = timers.schedule(at, () => {
      next = Number.POSITIVE_INFINITY
      wake()
    })
  }
}
