/**
 * A Scope that is made when somebody touches it.
 *
 * Every attempt has one and few use it: `Effect.scoped` around each attempt allocated 17 kB, and closing an empty scope in
 * the attempt's fiber another 3 kB, more than the rest of an attempt together.
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"

export interface LazyScope {
  readonly scope: Scope.Scope
  /** The scope that was touched and has to be closed, or null. */
  readonly touched: () => Scope.CloseableScope | null
}

class Handler implements ProxyHandler<Scope.CloseableScope> {
  made: Scope.CloseableScope | null = null
  real(): Scope.CloseableScope {
    return this.made ??= Effect.runSync(Scope.make())
  }
  get(_: Scope.CloseableScope, key: PropertyKey): unknown {
    return Reflect.get(this.real(), key)
  }
  set(_: Scope.CloseableScope, key: PropertyKey, value: unknown): boolean {
    return Reflect.set(this.real(), key, value)
  }
  has(_: Scope.CloseableScope, key: PropertyKey): boolean {
    return Reflect.has(this.real(), key)
  }
  getPrototypeOf(): object | null {
    return Reflect.getPrototypeOf(this.real())
  }
}

const target = Effect.runSync(Scope.make())

export const make = (): LazyScope => {
  const handler = new Handler()
  return { scope: new Proxy(target, handler), touched: () => handler.made }
}
