/**
 * What an instance has seen of the others: whose count of beats stands still, and for how long by the watcher's own clock.
 * Pure state; times are milliseconds of that clock, and real ones beside it: a test's clock that jumps ahead leaves the
 * others no time to be heard.
 */
import type { InstanceId } from "../TaskEvent.js"
import type { Peer } from "../TaskPeer.js"

interface Seen {
  readonly beat: number
  readonly since: number
  readonly sinceReal: number
  /** How often it was looked at since, without a change. */
  readonly looks: number
}

// A clock that jumped (a test's) shows a whole lease between two looks. In a lease there are at least three.
const leastLooks = 3

/** Real time, in milliseconds: now, and how long a silence lasts at least, where a lease is longer. */
export interface Real {
  readonly now: number
  readonly least: number
}

export interface Watching {
  /** Forgets everything: watching begins anew. */
  readonly restart: () => void
  /** Those among them that are dead: declared so, proven to be, or silent for one lease. `sent`: when they were asked for. */
  readonly suspects: (peers: ReadonlyArray<Peer>, sent: number, now: number, real: Real) => ReadonlyArray<Peer>
  /** How long until the next one could be told to be dead; 0 when it is only a matter of real time; Infinity when none. */
  readonly untilNext: (now: number, real: Real) => number
}

export const make = (options: {
  readonly lease: number
  readonly isProvenGone: (peer: Peer) => boolean
}): Watching => {
  const { isProvenGone, lease } = options
  const seen = new Map<InstanceId, Seen>()

  const isSilent = (sinceReal: number, real: Real): boolean => real.now - sinceReal >= Math.min(lease, real.least)

  const isSuspect = (peer: Peer, sent: number, now: number, real: Real): boolean => {
    if (peer.state === "dead" || isProvenGone(peer)) return true
    const known = seen.get(peer.id)
    if (known?.beat !== peer.beat) {
      seen.set(peer.id, { beat: peer.beat, since: now, sinceReal: real.now, looks: 0 })
      return false
    }
    seen.set(peer.id, { ...known, looks: known.looks + 1 })
    return sent - known.since >= lease && isSilent(known.sinceReal, real) && known.looks + 1 >= leastLooks
  }

  return {
    restart: () => seen.clear(),
    suspects: (peers, sent, now, real) => {
      const there = new Set(peers.map(({ id }) => id))
      for (const id of seen.keys()) if (!there.has(id)) seen.delete(id)
      return peers.filter((peer) => isSuspect(peer, sent, now, real))
    },
    untilNext: (now, real) => {
      let wait = Number.POSITIVE_INFINITY
      for (const { looks, since, sinceReal } of seen.values()) {
        const left = since + lease - now
        if (left > 0) wait = Math.min(wait, left)
        else if (looks < leastLooks || !isSilent(sinceReal, real)) wait = Math.min(wait, 0)
      }
      return wait
    }
  }
}
