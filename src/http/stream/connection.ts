/**
 * One client of the stream: what waits to be sent to it, bounded, and how much of its share of messages it has used.
 *
 * Frames are put in by the hub and taken out by the response as fast as the client reads. A client that reads too slowly
 * loses what waits and hears `reset` instead, so it costs the same memory for ever.
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Topics } from "./topics.js"

export interface Connection {
  readonly topics: Topics
  /** Puts in bytes that are shared with others. Nothing once it has ended. */
  readonly push: (bytes: Uint8Array) => void
  /** Says that it is alive, unless something waits anyway. */
  readonly ping: () => void
  /** The last message. What waits is left out when it must be quick. */
  readonly end: (last: Uint8Array, options: { readonly atOnce: boolean }) => void
  /** Whether it may be told of one more watched task at `now`; `charge` says that it was. */
  readonly mayHear: (now: number) => boolean
  readonly charge: (now: number) => void
  /** For one reader: `first`, what `begin` answers, what is pushed. Ends behind the last message. */
  readonly bytes: Stream.Stream<Uint8Array>
}

export interface ConnectionOptions {
  readonly topics: Topics
  /** What is sent at once. */
  readonly first: Uint8Array
  /** Run behind that: what is sent before anything that is pushed, however much it is. */
  readonly begin: Effect.Effect<ReadonlyArray<Uint8Array>>
  /** How many messages may wait. */
  readonly limit: number
  /** Called when it lost what waited: the message that says so. */
  readonly lost: () => Uint8Array
}

const encoder = new TextEncoder()
const ping = encoder.encode(": ping\n\n")

// Watched tasks: four messages in any second. With four frames of runs, one of counts and one of a bucket that makes ten; batches are one more.
const share = { messages: 4, millis: 1_000 }

// Bytes handed to the response together; what is behind them waits here, where it is counted.
const most = { together: 65_536 }

export const make = ({ begin, first, limit, lost, topics }: ConnectionOptions): Connection => {
  let before: ReadonlyArray<Uint8Array> = [first]
  let begun = false
  let waiting: ReadonlyArray<Uint8Array> = []
  let recent: Array<number> = []
  let ended = false
  let wake: (() => void) | null = null

  const woken = () => {
    const reader = wake
    wake = null
    reader?.()
  }

  /** How many of these go together: at least one. */
  const together = (messages: ReadonlyArray<Uint8Array>): number => {
    let count = 0
    let size = 0
    while (count < messages.length && (count === 0 || size + messages[count]!.length <= most.together)) {
      size += messages[count]!.length
      count += 1
    }
    return count
  }

  const take = (): Chunk.Chunk<Uint8Array> => {
    const from = before.length > 0 ? before : waiting
    const count = together(from)
    if (from === before) before = before.slice(count)
    else waiting = waiting.slice(count)
    return Chunk.unsafeFromArray(from.slice(0, count))
  }

  const something = Effect.async<void>((resume) => {
    if (waiting.length > 0 || ended) return resume(Effect.void)
    wake = () => resume(Effect.void)
    return Effect.sync(() => {
      wake = null
    })
  })

  // One loop and not several streams behind each other: each of those would cost every frame of every client.
  const next: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<never>> = Effect.suspend(() => {
    if (before.length > 0) return Effect.sync(take)
    if (!begun) {
      begun = true
      return Effect.flatMap(begin, (messages) => {
        before = messages
        return next
      })
    }
    return Effect.flatMap(
      something,
      () => waiting.length > 0 ? Effect.sync(take) : Effect.fail(Option.none())
    )
  })

  return {
    topics,
    push: (bytes) => {
      if (ended) return
      waiting = waiting.length >= limit ? [lost()] : [...waiting, bytes]
      woken()
    },
    ping: () => {
      if (ended || waiting.length > 0) return
      waiting = [ping]
      woken()
    },
    end: (last, { atOnce }) => {
      if (ended) return
      ended = true
      if (atOnce) before = []
      waiting = atOnce ? [last] : [...waiting, last]
      woken()
    },
    mayHear: (now) => {
      recent = recent.filter((at) => at > now - share.millis)
      return recent.length < share.messages
    },
    charge: (now) => {
      recent.push(now)
    },
    bytes: Stream.repeatEffectChunkOption(next)
  }
}
