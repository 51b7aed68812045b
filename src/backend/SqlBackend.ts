/**
 * Tasks in a database that speaks SQL: SQLite, PostgreSQL, MySQL or MariaDB, through the application's own `SqlClient`.
 *
 * The protocol is one, in `sql/`; what the databases do differently is one file each. `SqliteBackend`, `PostgresBackend` and
 * `MysqlBackend` bring a client of their own.
 */
import * as Client from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { inWords } from "../internal/shown.js"
import { type Durability, TaskBackend } from "../TaskBackend.js"
import { InstanceFenced, TaskBackendError, TaskflowWiringError, TaskWrongTransaction } from "../TaskError.js"
import { adviceFor, innermost } from "./sql/advice.js"
import * as Ambient from "./sql/ambient.js"
import * as Cancel from "./sql/cancel.js"
import * as Claim from "./sql/claim.js"
import * as Connections from "./sql/connections.js"
import * as Counts from "./sql/counts.js"
import type { Db, Dialect, Sql } from "./sql/dialect.js"
import * as Feed from "./sql/feed.js"
import * as Fleet from "./sql/fleet.js"
import * as Hints from "./sql/hints.js"
import * as Instances from "./sql/instances.js"
import * as Migrations from "./sql/migrations.js"
import { mysqlDialect } from "./sql/mysqlDialect.js"
import * as Pooled from "./sql/pooled.js"
import { postgresDialect } from "./sql/postgresDialect.js"
import * as Reads from "./sql/reads.js"
import * as Retention from "./sql/retention.js"
import * as Rollups from "./sql/rollups.js"
import { isPrefix, withPrefix } from "./sql/schema.js"
import { sqliteDialect } from "./sql/sqliteDialect.js"
import * as Stores from "./sql/stores.js"
import * as Transactional from "./sql/transactional.js"
import * as Write from "./sql/write.js"

/** Where the tables are, and whether instances wake each other. */
export interface SqlBackendOptions extends Hints.HintOptions {
  /** What the names of all tables begin with: small letters, digits and `_`. Default `taskflow_`. */
  readonly prefix?: string | undefined
}

/** The error of a driver, told whether writing the same again could ever succeed. */
class SqlProblem extends Error {
  constructor({ kind }: Dialect, readonly permanent: boolean, cause: unknown) {
    super(`${innermost(cause)}${adviceFor(kind, cause)}`, { cause })
    this.name = "SqlProblem"
  }
}

const isPermanent = (dialect: Dialect, error: unknown): boolean =>
  error instanceof Write.RowTooLarge || isOutOfRange(error) ||
  // A race for a key ends after a few tries: what is there twice even then is a row that can never be written.
  dialect.problemOf(error) === "permanent" || dialect.problemOf(error) === "duplicate"

// A text, or a message to the server, that became longer than it can be.
const isOutOfRange = (error: unknown): boolean => {
  let current = error
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if (current instanceof RangeError) return true
    current = current.cause
  }
  return false
}

// Two are the engine's, one is for those who read.
const leastPool = 3

const refail = (dialect: Dialect, method: string) => <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.mapError(self, (error) =>
    error instanceof InstanceFenced
      ? error
      : new TaskBackendError({ method, cause: new SqlProblem(dialect, isPermanent(dialect, error), error) }))

const dialectOf = (client: Client.SqlClient): Dialect =>
  client.onDialectOrElse({
    sqlite: () => sqliteDialect,
    pg: () => postgresDialect,
    mysql: () => mysqlDialect,
    orElse: () => {
      throw new TaskflowWiringError({
        message:
          "SqlBackend: this SqlClient speaks neither SQLite, PostgreSQL nor MySQL: give one of @effect/sql-sqlite-node, " +
          "@effect/sql-pg or @effect/sql-mysql2"
      })
    }
  })

const refailed = (method: string) => (cause: unknown) => new TaskBackendError({ method, cause })

const busyTimeoutOf = (client: Client.SqlClient) =>
  Effect.map(client.unsafe<{ readonly timeout: number }>("PRAGMA busy_timeout"), ([row]) => row?.timeout ?? 0)

const largestStatementOf = (dialect: Dialect, db: Db) =>
  dialect.largestStatement === null
    ? Effect.succeed(Number.POSITIVE_INFINITY)
    : Effect.map(db.all({ sql: dialect.largestStatement, params: [] }), ([row]) => Number(row?.["bytes"]))

// What a commit does not survive, and what to do about it; null where a crash of the machine takes nothing.
const weakness = ({ kind }: Dialect, durability: Durability): string | null => {
  if (durability !== "process") return null
  const remedy = {
    sqlite: "PRAGMA synchronous = FULL",
    postgres: "synchronous_commit = on",
    mysql: "innodb_flush_log_at_trx_commit = 1"
  }[kind]
  return `tasks: the database may lose the last commits when its machine crashes or loses power; it keeps them with ${remedy}`
}

/** A backend on this client. Makes or upgrades its tables first. */
export const make = (
  client: Client.SqlClient,
  options: SqlBackendOptions & { readonly shared?: boolean | undefined; readonly ownClient?: boolean | undefined } = {}
): Effect.Effect<TaskBackend["Type"], TaskBackendError, Scope.Scope> =>
  Effect.gen(function*() {
    const prefix = options.prefix ?? "taskflow_"
    if (!isPrefix(prefix)) {
      const message = `SqlBackend: prefix is ${
        inWords(prefix)
      }: small letters, digits and _, at most 31, a letter first`
      return yield* Effect.die(new TaskflowWiringError({ message }))
    }
    const dialect = dialectOf(client)
    const tables = withPrefix(prefix)
    const embedded = dialect.kind === "sqlite"
    // safe: PgClient and MysqlClient show what they were made with; others do not
    const { config } = client as { readonly config?: { readonly maxConnections?: number | undefined } }
    if (!embedded && (config?.maxConnections ?? leastPool) < leastPool) {
      const message = `SqlBackend: maxConnections is ${config?.maxConnections}: the engine needs at least ${leastPool}`
      return yield* Effect.die(new TaskflowWiringError({ message }))
    }
    const busyTimeout = embedded ? yield* Effect.mapError(busyTimeoutOf(client), refailed("open")) : 0
    const open = embedded
      ? Effect.succeed(Connections.shared(client, dialect, busyTimeout))
      : Connections.dedicated(client, dialect)
    const failing = (method: string) => refail(dialect, method)
    // The first statements are plain ones: what fails here is a database that cannot be reached or written.
    const told = <A, E, R>(method: string, self: Effect.Effect<A, E, R>) =>
      Effect.mapError(failing(method)(self), (error) => error as TaskBackendError) // safe: nobody is fenced in these
    const first = yield* told("open", open)
    const { refusal } = dialect
    const refused = refusal === null ? null : yield* told("open", first.use(refusal))
    if (refused !== null) return yield* new TaskBackendError({ method: "open", cause: new Error(refused) })
    yield* told("migrate", Migrations.run(client, first, dialect, tables, prefix))
    // One connection, to tell the application's transactions on this client from those on others.
    const ours = yield* told("attach", Effect.uninterruptible(Effect.scoped(client.reserve)))
    const claims = embedded && options.ownClient === true
      ? yield* told("open", Connections.kept(client, dialect))
      : first
    const journal = embedded
      ? claims
      : yield* told("open", Connections.dedicated(client, dialect, undefined, true))
    const durability = yield* told("attach", claims.use(dialect.durability))
    const weak = weakness(dialect, options.shared === false ? "none" : durability)
    // On SQLite that is the default, and what its page and the line at the start of the engine say.
    if (weak !== null) yield* embedded ? Effect.logDebug(weak) : Effect.logWarning(weak)
    const largest = yield* told("attach", claims.use((db) => largestStatementOf(dialect, db)))

    const sql: Sql = { dialect, tables }
    const reads = Pooled.joining(embedded ? journal : Pooled.pooled(client, dialect), dialect, ours)
    const join = Ambient.make(sql, ours, claims, (db) => hints.joined(db))
    const identity: Feed.Identity = { id: null }
    const instances = Instances.make(sql, claims, identity)
    const feed = Feed.make(sql, reads, claims, identity)
    const fleet = Fleet.make(sql, reads, claims)
    const hints = Hints.make(sql, client, reads, identity, { ...options, shared: options.shared ?? true })
    const noted = <A, E>(self: Effect.Effect<A, E>, note: (answer: A) => void) =>
      Effect.map(self, (answer) => {
        note(answer)
        return answer
      })
    const read = Reads.make(sql, reads)
    const counts = Counts.make(sql, reads)
    const rollups = Rollups.make(sql, reads)
    const retention = Retention.make(sql, claims)
    const write = Write.make(sql, journal, largest)
    const claim = Claim.make(sql, claims)
    const cancel = Cancel.make(sql, claims, identity)
    const stores = Stores.make(sql, claims, reads, { told, fenced: (method, self) => failing(method)(self) })
    return TaskBackend.of({
      info: {
        kind: dialect.kind,
        // What only this process can reach ends with it.
        durability: options.shared === false ? "none" : durability,
        shared: options.shared ?? true,
        maxLive: Number.POSITIVE_INFINITY
      },
      attach: (facts, now) => told("attach", instances.attach(facts, Math.floor(now))),
      detach: (instance) => told("detach", instances.detach(instance)),
      heartbeat: (instance, now, vitals) =>
        noted(told("heartbeat", instances.heartbeat(instance, Math.floor(now), vitals)), hints.heard),
      instances: told("instances", fleet.list),
      drain: (instance, draining) => noted(told("drain", fleet.drain(instance, draining)), hints.steered),
      reap: (request) =>
        noted(told("reap", instances.reap({ ...request, now: Math.floor(request.now) })), hints.reaped),
      write: (batch) =>
        noted(
          failing("write")(write(Number.isInteger(batch.now) ? batch : { ...batch, now: Math.floor(batch.now) })),
          () => hints.wrote(batch)
        ),
      claim: (request) =>
        noted(
          failing("claim")(claim({ ...request, now: Math.floor(request.now) })),
          (claimed) => hints.claimed(request, claimed)
        ),
      owned: (instance) => told("owned", instances.owned(instance)),
      // A client of the backend's own is one that no handler can have.
      transaction: options.ownClient === true ? null : yield* Transactional.make(sql, client, ours),
      joinTransaction: (records, now) =>
        Effect.mapError(Write.textsThatFit(join(records, Math.floor(now))), (error) =>
          error instanceof TaskWrongTransaction
            ? error
            : new TaskBackendError({
              method: "joinTransaction",
              cause: new SqlProblem(dialect, isPermanent(dialect, error), error)
            })),
      cancel: (taskId, now) => noted(told("cancel", cancel(taskId, Math.floor(now))), hints.cancelled),
      get: (taskId) => told("get", read.get(taskId)),
      list: (query) => told("list", read.list(query)),
      logs: (taskId, page) => told("logs", read.logs(taskId, page)),
      attempts: (taskId) => told("attempts", read.attempts(taskId)),
      stats: (query) => told("stats", read.stats(query)),
      count: (query, most) => told("count", counts.count(query, most)),
      unfinished: told("unfinished", counts.unfinished),
      rollups: (query) => told("rollups", rollups(query)),
      deleteBefore: (cutoff, limit, status) => told("deleteBefore", retention.deleteBefore(cutoff, limit, status)),
      countBefore: (cutoff, most) => told("countBefore", retention.countBefore(cutoff, most)),
      feed: (query) => told("feed", feed(query)),
      hints: hints.hints,
      maintain: (now) => told("maintain", retention.maintain(Math.floor(now))),
      ...stores,
      controls: {
        ...stores.controls,
        pause: (target, by, now) => noted(stores.controls.pause(target, by, Math.floor(now)), hints.steered),
        resume: (target) => noted(stores.controls.resume(target), hints.resumed)
      },
      schedules: {
        ...stores.schedules,
        fireSlot: (request) => noted(stores.schedules.fireSlot(request), hints.fired),
        fireSlots: (requests) =>
          noted(stores.schedules.fireSlots(requests), (outcomes) => outcomes.forEach(hints.fired))
      }
    })
    // Done aside, as nothing of it can be interrupted: who is asked to end meanwhile does not wait for tables that another process is
    // making, or for a server that is slow.
  }).pipe(Effect.disconnect)

/** A backend on the application's own client: what it enqueues inside `sql.withTransaction` commits with the rest. */
export const layer = (options?: SqlBackendOptions): Layer.Layer<TaskBackend, TaskBackendError, Client.SqlClient> =>
  Layer.scoped(TaskBackend, Effect.flatMap(Client.SqlClient, (client) => make(client, options)))
