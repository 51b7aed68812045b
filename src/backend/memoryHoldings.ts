/**
 * Which rows of MemoryBackend each instance owns: all of them, those that wait in its window, and its suspects.
 */
import type { InstanceId } from "../TaskEvent.js"
import { isLive, type TaskRecord } from "../TaskRecord.js"
import type { LiveRow } from "./memoryTables.js"

/** What one instance owns, each set in no particular order. */
export interface Holding {
  readonly rows: Set<LiveRow>
  /** Those without an attempt under way. */
  readonly window: Set<LiveRow>
  readonly suspects: Set<LiveRow>
}

/** Whether the next crash of its process may be the task's own doing: it crashed before, and one more reaches the limit. */
export const isSuspect = ({ crashes, maxCrashes }: TaskRecord): boolean => crashes >= 1 && crashes >= maxCrashes - 1

export const make = () => {
  const holdings = new Map<InstanceId, Holding>()

  const of = (instance: InstanceId): Holding => {
    let holding = holdings.get(instance)
    if (holding === undefined) {
      holdings.set(instance, holding = { rows: new Set(), window: new Set(), suspects: new Set() })
    }
    return holding
  }

  const leave = (row: LiveRow): void => {
    if (row.holder === null) return
    const { rows, suspects, window } = of(row.holder)
    rows.delete(row)
    window.delete(row)
    suspects.delete(row)
    row.holder = null
  }

  return {
    of,
    leave,

    /** Moves the row to its record's owner, if it has one. */
    move: (row: LiveRow, now: number): void => {
      const { claim, owner } = row.record
      if (row.holder !== owner) leave(row)
      if (owner === null) return
      const { rows, suspects, window } = of(owner)
      rows.add(row)
      row.holder = owner
      if (isSuspect(row.record)) suspects.add(row)
      else suspects.delete(row)
      if (isLive(row.record)) window.delete(row)
      else window.add(row)
      if (row.heldClaim === claim) return
      row.heldClaim = claim
      row.heldSince = now
    },

    /** What other instances took into their windows and did not start. */
    *windowsOfOthers(instance: InstanceId): Iterable<LiveRow> {
      for (const [owner, { window }] of holdings) if (owner !== instance) yield* window
    },

    forget: (instance: InstanceId): void => void holdings.delete(instance)
  }
}
