/** Errors as people meet them: made to happen, and looked at as they are shown. */
import { inspect } from "node:util"
import { expect } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"

/** What no error may repeat. The tests put it wherever a secret could be. */
export const secret = "hunter2-correct-horse-battery-staple"

/** What an effect fails or dies with. */
export const errorOf = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<Error, never, R> =>
  Effect.flatMap(Effect.exit(self), (exit) => {
    if (Exit.isSuccess(exit)) return Effect.dieMessage(`no error, but ${inspect(exit.value)}`)
    const error = Cause.squash(exit.cause)
    return error instanceof Error ? Effect.succeed(error) : Effect.dieMessage(`no Error, but ${inspect(error)}`)
  })

/** What a function throws. */
export const thrownBy = (run: () => unknown): Error => {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

/** Whether an error can be shown to anybody: a short line, no noise, and no secret in anything that is printed of it. */
export const expectShowable = (error: Error): void => {
  const { message } = error
  expect(message, message).toMatch(/^\S.*\S$/)
  expect(message.length, message).toBeLessThan(500)
  expect(message, message).not.toMatch(/\[object|_id|undefined|NaN|\{ "?cause/)
  for (const printed of [inspect(error, { depth: 10 }), Cause.pretty(Cause.fail(error), { renderErrorCause: true })]) {
    expect(printed).not.toContain(secret)
    expect(printed).not.toContain("_id")
  }
}

/** Whether it is this error, in these words. */
export const expectSaid = (
  error: Error,
  { says, tag }: { readonly tag: string; readonly says: string | RegExp }
): void => {
  expect(Reflect.get(error, "_tag") ?? error.name).toBe(tag)
  if (typeof says === "string") expect(error.message).toBe(says)
  else expect(error.message).toMatch(says)
  expectShowable(error)
}
