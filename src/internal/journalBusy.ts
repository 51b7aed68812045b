/**
 * New tasks whose idempotency key is in somebody's open transaction: they wait here and delay nobody else, and are written
 * again and again until the key is decided or they have waited long enough.
 */
import * as Effect from "effect/Effect"
import * as Backoff from "./backoff.js"
import { afterDeath, ownerOf } from "./fencedChange.js"
import type { Waiting } from "./journalQueue.js"

// The first wait, and the longest.
const pauses = { first: 20, longest: 500 }

export interface JournalBusy {
  readonly count: () => number
  /** About how many UTF-16 units. */
  readonly size: () => number
  readonly all: () => ReadonlyArray<Waiting>
  readonly has: (waiting: Waiting) => boolean
  /** Since when the one that has waited longest does: epoch milliseconds; Infinity when there is none. */
  readonly since: () => number
  /** Puts those aside that stay together. False when they have waited long enough. */
  readonly put: (together: ReadonlyArray<Waiting>) => boolean
  /** It was decided. */
  readonly end: (waiting: Waiting) => void
}

export const make = (options: {
  readonly maxKeyWait: number
  readonly now: () => number
  readonly isClosed: () => boolean
  readonly fork: (effect: Effect.Effect<void>) => void
  /** Writes them again. */
  readonly again: (together: ReadonlyArray<Waiting>) => void
}): JournalBusy => {
  const { again, fork, isClosed, maxKeyWait, now } = options
  // The first in the set has waited longest.
  const waiting = new Set<Waiting>()
  let size = 0

  // The one whose key is decided may be run by whoever is free then.
  const setAside = (one: Waiting, since: number): void => {
    if (one.busy === 0) {
      const unheld = ownerOf(one.change) === null ? null : afterDeath(one.change)
      if (unheld !== null) one.change = unheld
      one.busySince = since
      waiting.add(one)
      size += one.size
    }
    one.busy += 1
  }

  return {
    count: () => waiting.size,
    size: () => size,
    all: () => [...waiting],
    has: (one) => waiting.has(one),
    since: () => {
      for (const { busySince } of waiting) return busySince
      return Number.POSITIVE_INFINITY
    },
    put: (together) => {
      const [first] = together
      if (first === undefined) return true
      const at = now()
      const { busy } = first
      if (isClosed() || at - (busy === 0 ? at : first.busySince) >= maxKeyWait) return false
      for (const one of together) setAside(one, at)
      const pause = Backoff.pause(Math.min(pauses.longest, pauses.first * 2 ** busy))
      fork(Effect.zipRight(pause, Effect.sync(() => again(together.filter((one) => waiting.has(one))))))
      if (busy === 0) { for (const one of together) one.onDeferred?.() }
      return true
    },
    end: (one) => {
      if (waiting.delete(one)) size -= one.size
    }
  }
}
