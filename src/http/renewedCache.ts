/**
 * Effect's Cache, made anew from time to time: it keeps a node of its list, and the key, for every entry that expired, as long
 * as there are fewer entries than its capacity. A page that asks each second would make it grow for ever.
 */
import * as Cache from "effect/Cache"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"

// So many answers are looked up by one of them, times its capacity.
const lifetime = 10

export interface RenewedCache<Key, Value, Error> {
  readonly get: (key: Key) => Effect.Effect<Value, Error>
}

/** Takes what `Cache.makeWith` takes. */
export const make = <Key, Value, Error>(options: {
  readonly capacity: number
  readonly lookup: (key: Key) => Effect.Effect<Value, Error>
  readonly timeToLive: (exit: Exit.Exit<Value, Error>) => Duration.DurationInput
}): Effect.Effect<RenewedCache<Key, Value, Error>> => {
  let lookups = 0
  const fresh = Cache.makeWith({
    ...options,
    lookup: (key: Key) =>
      Effect.suspend(() => {
        lookups += 1
        return options.lookup(key)
      })
  })
  return Effect.map(fresh, (first) => {
    let cache = first
    return {
      get: (key) =>
        Effect.suspend(() => {
          if (lookups < options.capacity * lifetime) return cache.get(key)
          lookups = 0
          return Effect.flatMap(fresh, (next) => {
            cache = next
            return next.get(key)
          })
        })
    }
  })
}
