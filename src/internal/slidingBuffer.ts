/**
 * A bounded buffer between the engine, which must not wait, and one reader, which may be slow: the oldest slides out.
 */
import * as Effect from "effect/Effect"

export interface SlidingBuffer<A> {
  /** Adds an item. False when the oldest one had to go for it. */
  readonly offer: (item: A) => boolean
  /** The oldest items, at most `most`; waits for the first. Empty when the buffer ended. For one reader at a time. */
  readonly take: (most: number) => Effect.Effect<ReadonlyArray<A>>
  /** Nothing is added any more; what is there can still be taken. */
  readonly end: () => void
  readonly isEnded: () => boolean
  /** Returns when nothing is added any more. For the reader. */
  readonly ended: Effect.Effect<void>
  readonly size: () => number
}

export const make = <A>(capacity: number): SlidingBuffer<A> => {
  const items: Array<A | undefined> = []
  let head = 0
  let size = 0
  let ended = false
  let wake: (() => void) | null = null
  let wakeAtEnd: (() => void) | null = null

  const notify = (): void => {
    const waiting = wake
    wake = null
    waiting?.()
  }

  const takeNow = (most: number): ReadonlyArray<A> => {
    const taken: Array<A> = []
    for (let count = Math.min(most, size); count > 0; count -= 1) {
      // safe: the `size` places from `head` on are filled
      taken.push(items[head] as A)
      items[head] = undefined
      head = (head + 1) % capacity
      size -= 1
    }
    return taken
  }

  return {
    offer: (item) => {
      if (ended) return true
      const fits = size < capacity
      if (!fits) {
        head = (head + 1) % capacity
        size -= 1
      }
      items[(head + size) % capacity] = item
      size += 1
      notify()
      return fits
    },
    take: (most) =>
      Effect.async((resume) => {
        if (size > 0 || ended) return resume(Effect.succeed(takeNow(most)))
        wake = () => resume(Effect.sync(() => takeNow(most)))
        return Effect.sync(() => {
          wake = null
        })
      }),
    end: () => {
      ended = true
      notify()
      wakeAtEnd?.()
    },
    isEnded: () => ended,
    ended: Effect.async((resume) => {
      if (ended) return resume(Effect.void)
      wakeAtEnd = () => resume(Effect.void)
      return Effect.sync(() => {
        wakeAtEnd = null
      })
    }),
    size: () => size
  }
}
