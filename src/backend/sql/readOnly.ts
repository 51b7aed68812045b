/** A backend of which everything that reads works, and everything that writes fails. Makes no tables, attaches nobody. */
import type * as Client from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { TaskBackend } from "../../TaskBackend.js"
import { TaskBackendError } from "../../TaskError.js"
import { adviceFor, innermost } from "./advice.js"
import * as Connections from "./connections.js"
import * as Counts from "./counts.js"
import { counting } from "./deleting.js"
import type { Dialect, Sql } from "./dialect.js"
import * as Fleet from "./fleet.js"
import * as Pooled from "./pooled.js"
import * as Reads from "./reads.js"
import * as Rollups from "./rollups.js"
import * as Stores from "./stores.js"

const words = "the database was opened for reading"

const refusing: Connections.Connections = {
  use: () => Effect.fail(new SqlError({ message: words, cause: new Error(words) })),
  urgent: () => Effect.fail(new SqlError({ message: words, cause: new Error(words) })),
  transaction: () => Effect.fail(new SqlError({ message: words, cause: new Error(words) }))
}

/** Makes the error of a method one of the port. */
export const told =
  (dialect: Dialect) =>
  <A, E, R>(method: string, self: Effect.Effect<A, E, R>): Effect.Effect<A, TaskBackendError, R> =>
    Effect.mapError(
      self,
      (cause) =>
        new TaskBackendError({
          method,
          cause: new Error(`${innermost(cause)}${adviceFor(dialect.kind, cause)}`, { cause })
        })
    )

/** Where the reads go. SQLite has one connection; a server gives one for each. */
export const readsOn = (client: Client.SqlClient, dialect: Dialect): Pick<Connections.Connections, "use"> =>
  dialect.kind === "sqlite" ? Connections.shared(client, dialect) : Pooled.pooled(client, dialect)

export const make = (
  sql: Sql,
  reads: Pick<Connections.Connections, "use">
): Effect.Effect<TaskBackend["Type"], TaskBackendError> => {
  const { dialect } = sql
  const failing = told(dialect)
  return Effect.map(
    failing("open", reads.use(dialect.durability)),
    (durability): TaskBackend["Type"] => {
      const read = Reads.make(sql, reads)
      const counts = Counts.make(sql, reads)
      const rollups = Rollups.make(sql, reads)
      const refuse = (method: string) => Effect.fail(new TaskBackendError({ method, cause: new Error(words) }))
      const countBefore = counting(sql, reads)
      return {
        info: { kind: dialect.kind, durability, shared: true, maxLive: Number.POSITIVE_INFINITY },
        attach: () => refuse("attach"),
        detach: () => refuse("detach"),
        heartbeat: () => refuse("heartbeat"),
        instances: failing("instances", Fleet.make(sql, reads, refusing).list),
        drain: () => refuse("drain"),
        reap: () => refuse("reap"),
        write: () => refuse("write"),
        claim: () => refuse("claim"),
        owned: () => refuse("owned"),
        joinTransaction: null,
        transaction: null,
        cancel: () => refuse("cancel"),
        get: (taskId) => failing("get", read.get(taskId)),
        list: (query) => failing("list", read.list(query)),
        logs: (taskId, page) => failing("logs", read.logs(taskId, page)),
        attempts: (taskId) => failing("attempts", read.attempts(taskId)),
        stats: (query) => failing("stats", read.stats(query)),
        count: (query, most) => failing("count", counts.count(query, most)),
        unfinished: failing("unfinished", counts.unfinished),
        rollups: (query) => failing("rollups", rollups(query)),
        deleteBefore: () => refuse("deleteBefore"),
        countBefore: (cutoff, most) => failing("countBefore", countBefore(cutoff, most)),
        feed: () => refuse("feed"),
        hints: () => Stream.never,
        maintain: () => refuse("maintain"),
        ...Stores.make(sql, refusing, reads, { told: failing, fenced: failing })
      }
    }
  )
}
