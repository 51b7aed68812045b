/**
 * A second connection, which only hears: a connection that subscribed takes no commands. It is opened again by whoever
 * listens, not by the driver, so that what was told meanwhile is looked for.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Redis } from "ioredis"
import * as RealTime from "../../internal/realTime.js"
import { RedisProblem } from "./problem.js"

export interface Subscriber {
  /** Fails when the connection is lost, or answers no more. */
  readonly lost: Effect.Effect<never, RedisProblem>
}

// A connection that hears nothing looks like one that is dead, so it is asked, in milliseconds.
const askEvery = 10_000
const longestSilence = 5_000

/** Connects, with the settings of `client`, and subscribes. `hear` is called with each message. */
export const subscribe = (
  client: Redis,
  channel: string,
  hear: (message: string) => void
): Effect.Effect<Subscriber, RedisProblem, Scope.Scope> =>
  Effect.gen(function*() {
    const connection = client.duplicate({
      connectionName: "effect-taskflow hints",
      retryStrategy: () => null,
      autoResubscribe: false
    })
    let fail = (_: RedisProblem): void => {}
    let broken: RedisProblem | null = null
    const breaks = (problem: RedisProblem): void => {
      broken ??= problem
      fail(problem)
    }
    // The driver's errors carry the arguments of their command: their words alone leave here.
    const problem = (error: unknown) => new RedisProblem(error instanceof Error ? error.message : String(error))
    connection.on("error", (error) => breaks(problem(error)))
    connection.on("end", () => breaks(new RedisProblem("the connection was closed")))
    connection.on("message", (_, message) => hear(message))
    const ask = (promise: () => Promise<unknown>) => Effect.tryPromise({ try: promise, catch: problem })
    yield* Effect.addFinalizer(() => Effect.sync(() => connection.disconnect()))
    yield* ask(() => connection.connect())
    yield* ask(() => connection.subscribe(channel))
    const broke = Effect.async<never, RedisProblem>((resume) => {
      fail = (cause) => resume(Effect.fail(cause))
      if (broken !== null) fail(broken)
    })
    const asking = Effect.forever(Effect.zipRight(
      RealTime.pause(askEvery),
      RealTime.within(
        ask(() => connection.ping()),
        longestSilence,
        () => new RedisProblem("the connection that listens does not answer")
      )
    ))
    return { lost: Effect.raceFirst(broke, asking) }
  })
