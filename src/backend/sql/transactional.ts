/** The end of a `transactional` task, on the connection of its handler's transaction. */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { InstanceFenced, TaskBackendError } from "../../TaskError.js"
import type { TaskTransaction } from "../../TaskTransaction.js"
import { isSameClient, transactionConnection } from "./connections.js"
import type { Db, Sql } from "./dialect.js"
import * as Feed from "./feed.js"
import { fence } from "./fence.js"
import { planOf } from "./plan.js"
import { apply, find } from "./write.js"

// Tells what the handler failed with from what beginning the transaction failed with.
class BodyFailed extends Data.TaggedError("BodyFailed")<{ readonly error: unknown }> {}

// Two connections are the engine's, and one more is for those who read.
const kept = 3
const usualPool = 10

const poolOf = (client: SqlClient): number => {
  // safe: PgClient and MysqlClient show what they were made with; others do not
  const { config } = client as { readonly config?: { readonly maxConnections?: number | undefined } }
  return config?.maxConnections ?? usualPool
}

/** `transaction` of the port. `ours` is a connection of the client. */
export const make = (sql: Sql, client: SqlClient, ours: object): Effect.Effect<TaskTransaction, never, Scope.Scope> =>
  Effect.map(
    // What is open when the backend closes is of an attempt that was left behind. It may wait for a lock for as long as the server
    // lets it, and the client's own end would wait for it.
    Effect.acquireRelease(
      Effect.sync(() => new Set<Connection>()),
      (open) =>
        Effect.sync(() => {
          for (const connection of open) sql.dialect.hangUp(connection)
        })
    ),
    (open) => of(sql, client, ours, open)
  )

const of = (sql: Sql, client: SqlClient, ours: object, open: Set<Connection>): TaskTransaction => {
  const { dialect } = sql
  const exclusive = dialect.kind === "sqlite"

  const maxConcurrent = exclusive ? 1 : Math.max(1, poolOf(client) - kept)
  // Over all names together: each alone may stay below it.
  const turns = Effect.unsafeMakeSemaphore(maxConcurrent)

  // Until it was committed or rolled back.
  const noted = <A, E, R>(body: Effect.Effect<A, E, R>): Effect.Effect<A, E | SqlError, R> =>
    Effect.suspend(() => {
      let mine: Connection | null = null
      const begun = Effect.map(transactionConnection, (connection) => {
        mine = Option.getOrNull(connection)
        if (mine !== null) open.add(mine)
      })
      return Effect.ensuring(
        client.withTransaction(Effect.zipRight(begun, body)),
        Effect.sync(() => mine !== null && open.delete(mine))
      )
    })

  const run: TaskTransaction["run"] = <A, E, R>(body: Effect.Effect<A, E, R>) =>
    Effect.catchAll(
      noted(Effect.mapError(body, (error) => new BodyFailed({ error }))),
      (error: BodyFailed | SqlError): Effect.Effect<never, E | TaskBackendError> =>
        error instanceof BodyFailed
          ? Effect.fail(error.error as E) // safe: wrapped two lines above
          : Effect.fail(new TaskBackendError({ method: "transaction", cause: error }))
    ).pipe(turns.withPermits(1))

  // The fence comes last, so that a heartbeat or a reap never waits for a handler.
  const finishOn = (db: Db, change: Parameters<TaskTransaction["finish"]>[0], now: number) =>
    Effect.gen(function*() {
      if (dialect.beforeCommit !== null) yield* db.all({ sql: dialect.beforeCommit, params: [] })
      yield* fence(sql, db, change.owner)
      const batch = { instance: change.owner, lane: "", number: 0, now, changes: [change] }
      const found = yield* find(sql, db, batch)
      if (found.live.get(change.record.taskId)?.cancel === 1) return "cancelled" as const
      const plan = planOf(batch, found)
      if (plan.outcomes[0]?._tag !== "Applied") return "lost" as const
      yield* apply(sql, db, plan, now, change.owner)
      yield* Feed.untold(sql, db, [change.record], now)
      return "applied" as const
    })

  return {
    maxConcurrent,
    exclusive,
    run,
    finish: (change, now) =>
      Effect.flatMap(transactionConnection, (connection) => {
        if (Option.isNone(connection) || !isSameClient(connection.value, ours)) {
          const cause = new Error("the handler's transaction is over before its task ended")
          return Effect.fail(new TaskBackendError({ method: "finish", cause }))
        }
        return Effect.catchAll(finishOn(dialect.db(connection.value), change, now), (cause) =>
          cause instanceof InstanceFenced
            ? Effect.succeed("lost" as const)
            : Effect.fail(new TaskBackendError({ method: "finish", cause })))
      }),
    isConflict: (error) => dialect.problemOf(error) === "busy"
  }
}
