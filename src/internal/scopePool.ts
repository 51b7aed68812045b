/**
 * Fresh scopes, made many at a time.
 *
 * Every attempt has one and few use it. `Effect.scoped` around each attempt allocated 17 kB, and running `Scope.make` for
 * each takes a fiber of its own; a scope out of the pool costs what the scope itself costs.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

const refill = Effect.replicateEffect(Scope.make(), 64)

/** Each call of the answer gives a scope that nobody used. The caller closes it. */
export const make = (): () => Scope.CloseableScope => {
  let pool: Array<Scope.CloseableScope> = []
  return () => {
    const ready = pool.pop()
    if (ready !== undefined) return ready
    const [first, ...rest] = Effect.runSync(refill)
    pool = rest
    return first!
  }
}
