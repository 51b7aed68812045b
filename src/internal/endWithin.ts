/**
 * The bounded end of running attempts: they may finish, then they are interrupted, then they are left behind.
 */
import * as Effect from "effect/Effect"
import type { TaskRunner } from "../TaskRunner.js"

// After an interruption an attempt may run finalizers; one that never ends must not hold up the process.
const finalizerGrace = 5_000

/** Waits at most `millis`. For finalizers, where a plain timeout would wait for what it cannot interrupt. */
export const within = (self: Effect.Effect<void>, millis: number): Effect.Effect<void> =>
  Effect.asVoid(self.pipe(Effect.disconnect, Effect.interruptible, Effect.timeoutOption(millis)))

/** `ended` returns when the attempts (of one name, or all) have ended; `millis` is how long they may take by themselves. */
export const endWithin = (
  runner: TaskRunner["Type"],
  ended: Effect.Effect<void>,
  millis: number,
  taskName: string | undefined
): Effect.Effect<void> =>
  Effect.gen(function*() {
    yield* within(ended, millis)
    runner.stopAll("shutdown", taskName)
    yield* within(ended, finalizerGrace)
    const abandoned = runner.abandonAll(taskName)
    if (abandoned.length === 0) return
    yield* Effect.logError(`${abandoned.length} tasks did not end when interrupted and were left behind`, ...abandoned)
  })
