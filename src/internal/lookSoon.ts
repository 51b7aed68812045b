/**
 * Looks for tasks of a transaction that may commit any time now: at once, and again with growing waits for about a second.
 * Later than that the ordinary poll finds them.
 */
import type { Timers } from "./timers.js"

const waits = [5, 10, 20, 40, 80, 160, 320, 500]

export const make = (timers: Timers, now: () => number, look: () => void): () => void => {
  let next = waits.length
  let armed = false
  const arm = (): void => {
    const wait = waits[next]
    armed = wait !== undefined
    if (wait === undefined) return
    next += 1
    timers.schedule(now() + wait, () => {
      look()
      arm()
    })
  }
  return () => {
    next = 0
    look()
    if (!armed) arm()
  }
}
