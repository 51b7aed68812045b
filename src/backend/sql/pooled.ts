/** Reads, on whatever connection of the pool is free. */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Connections, isSameClient, transactionConnection } from "./connections.js"
import type { Dialect } from "./dialect.js"
import * as Silence from "./silence.js"

/**
 * For reads: inside a transaction of the application it is that connection that reads. Waiting for another one of the pool, or
 * for the only one, could be waiting for oneself.
 */
export const joining = (
  connections: Pick<Connections, "use">,
  dialect: Dialect,
  ours: object
): Pick<Connections, "use"> => ({
  use: (body) =>
    Effect.flatMap(
      transactionConnection,
      (connection) =>
        Option.isSome(connection) && isSameClient(connection.value, ours)
          ? body(dialect.db(connection.value))
          : connections.use(body)
    )
})

/**
 * Takes a connection of the pool for each use, which may wait for the application's. A use that is not answered for `longest`
 * milliseconds, be it by the pool or by the server, fails.
 */
export const pooled = (
  client: SqlClient,
  dialect: Dialect,
  longest = Silence.longestSilence
): Pick<Connections, "use"> => ({
  use: (body, limit = longest) =>
    Effect.suspend(() => {
      let taken: Connection | null = null
      let over = false
      return Silence.within(
        limit,
        (answered) =>
          // PgClient never gives back a connection whose taker was interrupted while it waited for one.
          Effect.scoped(Effect.flatMap(Effect.uninterruptible(client.reserve), (connection) => {
            if (over) return Effect.interrupt
            taken = connection
            return body(Silence.telling(dialect.db(connection), answered)).pipe(
              // What was prepared on it is of no use any more.
              Effect.tapError((error) => Effect.sync(() => dialect.isOutdated(error) && dialect.hangUp(connection))),
              Effect.ensuring(Effect.sync(() => {
                taken = null
              }))
            )
          })),
        () => {
          over = true
          if (taken !== null) dialect.hangUp(taken)
        }
      )
    })
})
