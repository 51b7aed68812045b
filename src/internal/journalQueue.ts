/**
 * What waits for the journal, in order, and how much of it makes one batch. Pure state.
 */
import type * as Exit from "effect/Exit"
import type { Change, Outcome } from "../TaskBackend.js"
import type { TaskBackendError } from "../TaskError.js"
import type { InstanceId } from "../TaskEvent.js"
import { afterDeath, ownerOf, sizeOf } from "./fencedChange.js"

/** A change and who wants to know what became of it. */
export interface Waiting {
  /** As it will be written: another one once its owner was declared dead, or its key was busy. */
  change: Change
  readonly onOutcome: (outcome: Exit.Exit<Outcome, TaskBackendError>, written: Change) => void
  readonly onDeferred: (() => void) | undefined
  readonly size: number
  /** Changes of one group share a number; -1 for those on their own. */
  group: number
  /** Its owner was declared dead, so nothing of it is written. */
  dead: boolean
  /** How often its key was busy, and since when (epoch milliseconds). */
  busy: number
  busySince: number
}

export const make = (bounds: { readonly maxBatch: number; readonly maxBatchSize: number }) => {
  let waiting: Array<Waiting> = []
  let head = 0
  let groups = 0
  let group = -1
  let size = 0

  const forgetHead = (): void => {
    if (head === waiting.length) {
      waiting = []
      head = 0
    } else if (head > 10_000) {
      waiting = waiting.slice(head)
      head = 0
    }
  }

  return {
    length: () => waiting.length - head,
    /** Of what waits. */
    size: () => size,
    add: (change: Change, onOutcome: Waiting["onOutcome"], onDeferred?: () => void): void => {
      const bytes = sizeOf(change)
      size += bytes
      waiting.push({ change, onOutcome, onDeferred, size: bytes, group, dead: false, busy: 0, busySince: 0 })
    },
    addAgain: (again: Waiting): void => {
      size += again.size
      waiting.push(again)
    },
    grouped: (submitAll: () => void): void => {
      groups += 1
      group = groups
      try {
        submitAll()
      } finally {
        group = -1
      }
    },
    /** The next batch, within both bounds. A group stays whole: it is the caller's promise that it is committed together. */
    take: (): ReadonlyArray<Waiting> => {
      const last = Math.min(waiting.length, head + bounds.maxBatch)
      let end = head
      let taken = 0
      while (end < last && (end === head || taken + waiting[end]!.size <= bounds.maxBatchSize)) {
        taken += waiting[end]!.size
        end += 1
      }
      while (end < waiting.length && waiting[end]!.group !== -1 && waiting[end]!.group === waiting[end - 1]!.group) {
        taken += waiting[end]!.size
        end += 1
      }
      const batch = waiting.slice(head, end)
      size -= taken
      head = end
      forgetHead()
      return batch
    },
    takeAll: (): ReadonlyArray<Waiting> => {
      const left = waiting.slice(head)
      waiting = []
      head = 0
      size = 0
      return left
    }
  }
}

/** Finds what belongs to an identity that was declared dead, and makes of it what may still be written. */
export const bury = (waiters: ReadonlyArray<Waiting>, current: InstanceId): void => {
  for (const waiting of waiters) {
    const owner = ownerOf(waiting.change)
    if (owner === null || owner === current) continue
    const instead = afterDeath(waiting.change)
    if (instead === null) waiting.dead = true
    else waiting.change = instead
  }
}
