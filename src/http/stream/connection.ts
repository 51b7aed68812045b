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
  /** For one reader. Ends behind the last message. */
  readonly bytes: Stream.Stream<Uint8Array>
}

export interface ConnectionOptions {
  readonly topics: Topics
  /** How many messages may wait. */
  readonly limit: number
  /** Called when it lost what waited: the message that says so. */
  readonly lost: () => Uint8Array
}

const encoder = new TextEncoder()
const ping = encoder.encode(": ping\n\n")

// Watched tasks: four messages in any second. With four frames of runs, one of counts and one of a bucket that makes ten.
const share = { messages: 4, millis: 1_000 }

// Bytes handed to the response together; what is behind them waits here, where it is counted.
const together = 65_536

export const make = ({ limit, lost, topics }: ConnectionOptions): Connection => {
  let waiting: Array<Uint8Array> = []
  let recent: Array<number> = []
  let ended = false
  let wake: (() => void) | null = null

  const woken = () => {
    const reader = wake
    wake = null
    reader?.()
  }

  const take = (): Chunk.Chunk<Uint8Array> => {
    let count = 0
    let size = 0
    while (count < waiting.length && (count === 0 || size + waiting[count]!.length <= together)) {
      size += waiting[count]!.length
      count += 1
    }
    const taken = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return Chunk.unsafeFromArray(taken)
  }

  const next: Effect.Effect<Chunk.Chunk<Uint8Array>, Option.Option<never>> = Effect.flatMap(
    Effect.async<void>((resume) => {
      if (waiting.length > 0 || ended) return resume(Effect.void)
      wake = () => resume(Effect.void)
      return Effect.sync(() => {
        wake = null
      })
    }),
    () => waiting.length > 0 ? Effect.sync(take) : Effect.fail(Option.none())
  )

  return {
    topics,
    push: (bytes) => {
      if (ended) return
      waiting.push(bytes)
      if (waiting.length > limit) waiting = [lost()]
      woken()
    },
    ping: () => {
      if (ended || waiting.length > 0) return
      waiting.push(ping)
      woken()
    },
    end: (last, { atOnce }) => {
      if (ended) return
      ended = true
      if (atOnce) waiting = []
      waiting.push(last)
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
