/** Something that runs only while somebody wants it: begun for the first, ended behind the last. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"

/** The answer wants it until the scope closes. */
export const make = (run: Effect.Effect<unknown>): Effect.Effect<void, never, Scope.Scope> => {
  let wanted = 0
  let running: Fiber.RuntimeFiber<unknown> | null = null
  const begin = Effect.suspend(() => {
    wanted += 1
    if (wanted > 1) return Effect.void
    return Effect.map(Effect.forkDaemon(Effect.interruptible(run)), (fiber) => {
      running = fiber
    })
  })
  const end = Effect.suspend(() => {
    wanted -= 1
    if (wanted > 0 || running === null) return Effect.void
    const fiber = running
    running = null
    return Fiber.interrupt(fiber)
  })
  return Effect.acquireRelease(begin, () => end)
}
