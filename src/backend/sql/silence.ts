/**
 * How long a server may say nothing. After a failover a connection may stay silent for a quarter of an hour; what is asked on it
 * is given up long before, and the connection is hung up, so that its pool opens another.
 */
import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Db } from "./dialect.js"

// Real time, whatever clock the engine runs on: no statement of the engine takes nearly as long on a server that answers.
export const longestSilence = 15_000

const silent = (limit: number) =>
  new SqlError({
    message: "the connection is silent",
    cause: new Error(`the server did not answer for ${limit / 1_000} seconds`)
  })

/**
 * Runs `body` until `limit` milliseconds pass without an answer: then it is left to itself, `onSilent` is called, and the
 * caller is told. Every call of `answered` starts the time anew.
 */
export const within = <A, E, R>(
  limit: number,
  body: (answered: () => void) => Effect.Effect<A, E, R>,
  onSilent: () => void
): Effect.Effect<A, E | SqlError, R> =>
  Effect.suspend(() => {
    let timer: NodeJS.Timeout | undefined
    return Effect.flatMap(Effect.forkDaemon(body(() => timer?.refresh())), (fiber) =>
      Effect.async<A, E | SqlError>((resume) => {
        timer = setTimeout(() => {
          onSilent()
          resume(Effect.fail(silent(limit)))
        }, limit)
        fiber.addObserver((exit) => {
          clearTimeout(timer)
          timer = undefined
          resume(exit)
        })
        return Effect.suspend(() => {
          clearTimeout(timer)
          timer = undefined
          return Fiber.interruptFork(fiber)
        })
      }))
  })

/** The same connection, which says when it was answered. */
export const telling = (db: Db, answered: () => void): Db => {
  const tell = <A>(rows: A): A => {
    answered()
    return rows
  }
  return {
    all: (statement) => Effect.map(db.all(statement), tell),
    wide: (statement, names) => Effect.map(db.wide(statement, names), tell),
    run: (statement) => Effect.map(db.run(statement), tell)
  }
}

/** What carries a connection. */
export interface Stream {
  readonly destroy?: (error: Error) => void
}

/** Ends it with an error, as if the network had: drivers give up what waits on it, and their pools forget it. */
export const hangUp = (stream: Stream | undefined): void => stream?.destroy?.(new Error("the server is silent"))
