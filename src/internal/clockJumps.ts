/**
 * Notices that the wall clock was set. Where the backend has a clock of its own, ours is worth nothing then until it was
 * compared again, with the next heartbeat. Pure but for the clocks it is given.
 */
import { type Moment, noise } from "./clockOffset.js"

/** Whether slots may be told by the clock now; asked once a second at least. */
export const make = (options: {
  readonly moment: () => Moment
  /** Milliseconds of real time, and when the clocks were last compared by it; null: there is none to compare with. */
  readonly real: () => number
  readonly measuredAt: () => number | null
  /** How long to wait for a comparison, in milliseconds. */
  readonly patience: number
}): () => boolean => {
  const { measuredAt, moment, patience, real } = options
  let last = moment()
  let jumpedAt: number | null = null
  return () => {
    const now = moment()
    const by = now.wall - last.wall - (now.monotonic - last.monotonic)
    last = now
    if (Math.abs(by) > noise) jumpedAt = real()
    if (jumpedAt === null) return true
    const measured = measuredAt()
    if (measured === null || measured > jumpedAt || real() - jumpedAt > patience) jumpedAt = null
    return jumpedAt === null
  }
}
