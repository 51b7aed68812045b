/**
 * What happens to an open stream although nothing changes: it is pinged, its user is asked about again, and it ends in time.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Connection } from "./connection.js"
import type { ByeFrame } from "./frame.js"

// A ping every 15 seconds, a question every minute, an end after 15 minutes.
const beat = { millis: 15_000, asked: 4, last: 60 }

// An answer that takes longer is none.
const answerWithin = 5_000

const encoder = new TextEncoder()
/** The last message of a stream. Without an id: there is nothing behind it. */
export const bye = (why: ByeFrame["why"]): Uint8Array =>
  encoder.encode(`data: ${JSON.stringify({ t: "bye", why })}\n\n`)

/** Returns when the stream was told to end. Without an answer it ends like an old one: to come back is to be asked again. */
export const tend = (connection: Connection, stillAllowed: Effect.Effect<boolean>): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let beats = 1; beats < beat.last; beats += 1) {
      yield* Effect.sleep(beat.millis)
      connection.ping()
      if (beats % beat.asked !== 0) continue
      const answer = yield* Effect.disconnect(stillAllowed).pipe(
        Effect.timeoutOption(answerWithin),
        Effect.catchAllCause((cause) =>
          Effect.as(
            Effect.logWarning("task stream: whether a user may still listen is not known", cause),
            Option.none()
          )
        )
      )
      if (Option.isSome(answer) && answer.value) continue
      return connection.end(bye(Option.isSome(answer) ? "auth" : "lifetime"), { atOnce: Option.isSome(answer) })
    }
    yield* Effect.sleep(beat.millis)
    connection.end(bye("lifetime"), { atOnce: false })
  })
