/** What tests of SQL backends share: the three databases behind one face, clients whose statements a test can see, records. */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Reactivity } from "@effect/experimental"
import type { SqlClient } from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import type { SqlError } from "@effect/sql/SqlError"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Effect, type Layer, type Scope } from "effect"
import { type TaskBackend, TaskEvent, TaskId, TaskRecord } from "effect-taskflow"
import * as MysqlBackend from "../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../src/backend/PostgresBackend.js"
import * as SqlBackend from "../../src/backend/SqlBackend.js"
import * as SqliteBackend from "../../src/backend/SqliteBackend.js"
import { hasMysql, hasPostgres, mysql, mysqlPrefix, postgres, postgresPrefix } from "./databases.js"

export type OpenClient = Effect.Effect<SqlClient, unknown, Scope.Scope | Reactivity.Reactivity>

/** A database of a test's own. `place` is the prefix of its tables, on SQLite the folder of its file. */
export interface Database {
  readonly name: string
  readonly kind: "sqlite" | "postgres" | "mysql"
  readonly present: boolean
  readonly place: Effect.Effect<string, never, Scope.Scope>
  readonly prefix: (place: string) => string
  /** A client of the application's, with what a test wants to know it by. */
  readonly open: (place: string, applicationName?: string) => OpenClient
  /** The backend with a client of its own. */
  readonly layer: (place: string, applicationName?: string) => Layer.Layer<TaskBackend, unknown>
}

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

export const databases: ReadonlyArray<Database> = [
  {
    name: "SQLite",
    kind: "sqlite",
    present: true,
    place: folder,
    prefix: () => "taskflow_",
    open: (path) =>
      Effect.tap(
        SqliteClient.make({ filename: join(path, "tasks.db") }),
        (client) => client.unsafe("PRAGMA busy_timeout = 0")
      ),
    layer: (path) => SqliteBackend.layer({ filename: join(path, "tasks.db") })
  },
  {
    name: "PostgreSQL",
    kind: "postgres",
    present: await hasPostgres(),
    place: postgresPrefix,
    prefix: (place) => place,
    open: (_, applicationName = "test") => PgClient.make({ ...postgres, maxConnections: 6, applicationName }),
    layer: (prefix, applicationName = "test") =>
      PostgresBackend.layer({ ...postgres, prefix, maxConnections: 5, applicationName })
  },
  {
    name: "MySQL or MariaDB",
    kind: "mysql",
    present: await hasMysql(),
    place: mysqlPrefix,
    prefix: (place) => place,
    open: () => MysqlClient.make({ ...mysql, maxConnections: 6 }),
    layer: (prefix) => MysqlBackend.layer({ ...mysql, prefix, maxConnections: 5 })
  }
]

/** A backend on this client. */
export const backendOn = (client: SqlClient, { prefix }: { readonly prefix: string }) =>
  SqlBackend.make(client, { prefix })

/** What was sent on a connection of a client, and how to go on with it. */
export interface Sent {
  readonly connection: Connection
  readonly text: string
  readonly params: ReadonlyArray<unknown>
  readonly run: Effect.Effect<any, SqlError>
}

/** A client each of whose statements goes through `via`, on the connections that are taken from it. */
export const watched = (client: SqlClient, via: (sent: Sent) => Effect.Effect<any, SqlError>): SqlClient => {
  const wrap = (connection: Connection): Connection =>
    new Proxy(connection, {
      get: (target, key) => {
        const found = Reflect.get(target, key)
        if (key !== "execute" && key !== "executeRaw" && key !== "executeUnprepared") return found
        return (sql: string | { readonly text: string }, params: ReadonlyArray<unknown>, more: undefined) =>
          via({
            connection: target,
            text: typeof sql === "string" ? sql : sql.text,
            params,
            run: found.call(target, sql, params, more)
          })
      }
    })
  return new Proxy(client, {
    get: (target, key) => key === "reserve" ? Effect.map(target.reserve, wrap) : Reflect.get(target, key)
  })
}

/**
 * A client that waits a minute for the lock of another, not a second or two: what waits for one takes long on any machine, and
 * what takes longer than a second on a busy machine did not wait for one. Nor is it ended for standing still in a transaction.
 */
export const patient = (client: SqlClient): SqlClient =>
  watched(client, ({ connection, run, text }) => {
    const longer = text
      .replace("SET lock_timeout = '2s'", "SET lock_timeout = '60s'")
      .replace("SET SESSION innodb_lock_wait_timeout = 1", "SET SESSION innodb_lock_wait_timeout = 60")
      .replace("SET idle_in_transaction_session_timeout = '5s'", "SET idle_in_transaction_session_timeout = '60s'")
      .replace("SET SESSION idle_transaction_timeout = 5", "SET SESSION idle_transaction_timeout = 60")
    return longer === text ? run : connection.executeUnprepared(longer, [], undefined)
  })

/** How long something may take that waits for no lock of a `patient` client. */
export const withoutWaiting = "20 seconds"

/** A client whose connections, as far as they were used, `kill` ends by way of another. */
export const killer = (client: SqlClient, other: SqlClient) => {
  const [ask, end] = client.onDialectOrElse({
    pg: () => ["SELECT pg_backend_pid() AS id", (id: number) => `SELECT pg_terminate_backend(${id})`] as const,
    orElse: () => ["SELECT CONNECTION_ID() AS id", (id: number) => `KILL ${id}`] as const
  })
  const known = new Map<unknown, number>()
  const via = ({ connection, run }: Sent) =>
    known.has(connection) ? run : Effect.flatMap(connection.execute(ask, [], undefined), ([row]) => {
      known.set(connection, Number(row.id))
      return run
    })
  const kill = Effect.suspend(() => {
    const ids = [...known.values()]
    known.clear()
    return Effect.forEach(ids, (id) => Effect.ignore(other.unsafe(end(id))), { discard: true })
  })
  return { client: watched(client, via), kill }
}

// ── records ──────────────────────────────────────────────────────────────────────────────────────────────────────────

export const ids = TaskId.random()
export const now = 1_000_000_000_000
export const instance = TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000001")
export const facts = (id = instance) => ({ id, host: "h", process: null })

export const task = (facts: Partial<TaskEvent.TaskEvent & { readonly _tag: "Enqueued" }> = {}) =>
  TaskRecord.fromEnqueued({
    _tag: "Enqueued",
    taskId: ids.next(now),
    at: now,
    taskName: "send_email",
    kind: "task",
    payload: "{}",
    priority: 0,
    tags: {},
    idempotencyKey: null,
    keyTtl: null,
    source: "manual",
    schedule: null,
    executor: "fiber",
    requeueOnInterrupt: false,
    maxCrashes: 3,
    definitionVersion: 1,
    runAt: null,
    retryOf: null,
    trace: null,
    owner: null,
    ...facts
  })

/** A write of new tasks. */
export const batchOf = (number: number, records: ReadonlyArray<TaskRecord.TaskRecord>) => ({
  instance,
  lane: "journal",
  number,
  now,
  changes: records.map((record) => ({ _tag: "Insert", record }) as const)
})

/** The success of what this instance runs, as a change of a batch. */
export const successOf = (record: TaskRecord.TaskRecord, result: string | null = null) => {
  const { claim, taskId } = record
  const ended = TaskRecord.apply(record, { _tag: "Succeeded", taskId, at: now, result })
  if (ended._tag === "None") throw new Error("not legal")
  const attempt = {
    claim,
    attempt: 1,
    instance,
    startedAt: now,
    endedAt: now,
    outcome: "success",
    failure: null
  } as const
  return { _tag: "Finish", record: ended.value, owner: instance, claim, attempt } as const
}

export const claimOf = (backend: TaskBackend["Type"], slots = 10, at = now) =>
  backend.claim({
    instance,
    tasks: [{ name: "send_email", version: 1, slots, window: 0 }],
    slots,
    window: 0,
    stealAfter: null,
    now: at
  })

/** How many rows a table has. */
export const rowsOf = (client: SqlClient, table: string) =>
  Effect.map(
    client.unsafe<{ readonly many: number | string }>(`SELECT COUNT(*) AS many FROM ${table}`),
    ([row]) => Number(row!.many)
  )
