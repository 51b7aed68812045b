/**
 * The bounded end of running attempts: they may finish, then they are interrupted, then they are left behind.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { TaskRunner } from "../TaskRunner.js"

// After an interruption an attempt may run finalizers; one that never ends must not hold up the process.
const finalizerGrace = 5_000

// With a backend that does not answer, each stage of a stop would wait for it in vain.
const finalizerGraceWhenSilent = 2_000

/**
 * Waits at most `millis`; whether it was over by then. For finalizers, where a plain timeout would wait for what it cannot
 * interrupt.
 */
export const within = <R>(self: Effect.Effect<unknown, never, R>, millis: number): Effect.Effect<boolean, never, R> =>
  Effect.map(self.pipe(Effect.disconnect, Effect.interruptible, Effect.timeoutOption(millis)), Option.isSome)

/**
 * `ended` returns when the attempts (of one name, or all) have ended; `millis` is how long they may take by themselves;
 * `isSilent` says that the backend is known not to answer. False when nothing ran any more and `ended` did not return: what
 * it waits for then is an answer of the backend.
 */
export const endWithin = (options: {
  readonly runner: TaskRunner["Type"]
  readonly ended: Effect.Effect<void>
  readonly millis: number
  readonly taskName: string | undefined
  readonly isSilent: () => boolean
}): Effect.Effect<boolean> =>
  Effect.gen(function*() {
    const { ended, millis, runner, taskName } = options
    yield* within(ended, millis)
    // Before they are stopped: names that are not among them have no attempt.
    const running = runner.running()
    const mayRun = taskName === undefined ? running.length > 0 : running.includes(taskName)
    runner.stopAll("shutdown", taskName)
    const grace = !options.isSilent() ? finalizerGrace : mayRun ? finalizerGraceWhenSilent : 0
    if (yield* within(ended, grace)) return true
    const abandoned = runner.abandonAll(taskName)
    if (abandoned.length === 0) return false
    yield* Effect.logError(`${abandoned.length} tasks did not end when interrupted and were left behind`, ...abandoned)
    return true
  })
