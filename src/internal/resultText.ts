/**
 * The result of a handler as JSON text. What does not fit is the handler's mistake, and a defect.
 */
import * as Effect from "effect/Effect"
import type { Codec } from "./codec.js"

/** `maxSize` is in UTF-16 units. */
export const resultText = (codec: Codec<never>, maxSize: number) => (value: unknown): Effect.Effect<string> =>
  Effect.matchEffect(Effect.suspend(() => codec.encode(value)), {
    onFailure: ({ message, path }) =>
      Effect.die(
        new Error(`the result does not fit the task's success schema${path === "" ? "" : ` at ${path}`}: ${message}`)
      ),
    onSuccess: (text) =>
      text.length <= maxSize
        ? Effect.succeed(text)
        : Effect.die(new Error(`the result has ${text.length} characters of JSON, the limit is ${maxSize}`))
  })
