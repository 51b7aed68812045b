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
  /** Nothing of it is written: its owner was declared dead, or it was withdrawn. */
  dead: boolean
  /** Who waited for it was told already. */
  told: boolean
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
      const whole = group !== -1 && change._tag === "Insert" ? { ...change, together: group } : change
      waiting.push({
        change: whole,
        onOutcome,
        onDeferred,
        size: bytes,
        group,
        dead: false,
        told: false,
        busy: 0,
        busySince: 0
      })
    },
    addAgain: (again: ReadonlyArray<Waiting>): void => {
      for (const one of again) {
        size += one.size
        waiting.push(one)
      }
    },
    /** What waits, in order. */
    all: (): ReadonlyArray<Waiting> => waiting.slice(head),
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

/** Where to cut in two without cutting a group; 0 when nothing can be cut. */
export const middleOf = (waiters: ReadonlyArray<Waiting>): number => {
  const half = Math.ceil(waiters.length / 2)
  const isCut = (at: number) => waiters[at]!.group === -1 || waiters[at]!.group !== waiters[at - 1]!.group
  for (let at = half; at < waiters.length; at += 1) if (isCut(at)) return at
  for (let at = half - 1; at > 0; at -= 1) if (isCut(at)) return at
  return 0
}

/** Each group, and each change on its own. */
export const groupsOf = (waiters: ReadonlyArray<Waiting>): ReadonlyArray<ReadonlyArray<Waiting>> => {
  const groups: Array<Array<Waiting>> = []
  const numbered = new Map<number, Array<Waiting>>()
  for (const waiting of waiters) {
    const known = waiting.group === -1 ? undefined : numbered.get(waiting.group)
    if (known !== undefined) {
      known.push(waiting)
      continue
    }
    const group = [waiting]
    groups.push(group)
    numbered.set(waiting.group, group)
  }
  return groups
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
