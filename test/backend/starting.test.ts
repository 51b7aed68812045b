/** What a backend reads and refuses when it starts. */
import { join } from "node:path"
import { PgClient } from "@effect/sql-pg"
import { describe, expect, it } from "@effect/vitest"
import type { Layer } from "effect"
import { Cause, ConfigProvider, Effect, Exit } from "effect"
import { Config } from "effect"
import { TaskBackend, TaskBackendError } from "effect-taskflow"
import * as MysqlBackend from "../../src/backend/MysqlBackend.js"
import * as PostgresBackend from "../../src/backend/PostgresBackend.js"
import * as SqliteBackend from "../../src/backend/SqliteBackend.js"
import { mysql, postgres } from "../support/databases.js"
import { collectedLogs } from "../support/engine.js"
import { backendOn, batchOf, databases, facts, now, type Sent, task, watched } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

const [sqliteFile, onPostgres, onMysql] = databases as [typeof databases[0], typeof databases[0], typeof databases[0]] // safe: three

const failure = <A, E>(exit: Exit.Exit<A, E>) => Exit.isFailure(exit) ? Cause.squash(exit.cause) : null

/** Answers what `on` matches with this row instead of the database's own. */
const answering = (on: RegExp, row: object) => ({ run, text }: Sent) =>
  on.test(text) ? Effect.succeed(Object.assign([row], { rows: [row] })) : run

const settings = [
  { database: onPostgres, on: /synchronous_commit/, row: { level: "on", standbys: "" }, is: "host" },
  { database: onPostgres, on: /synchronous_commit/, row: { level: "off", standbys: "a" }, is: "process" },
  { database: onPostgres, on: /synchronous_commit/, row: { level: "local", standbys: "a" }, is: "host" },
  { database: onPostgres, on: /synchronous_commit/, row: { level: "remote_apply", standbys: "a" }, is: "replica" },
  { database: onPostgres, on: /synchronous_commit/, row: { level: "on", standbys: "ANY 1 (a, b)" }, is: "replica" },
  { database: onMysql, on: /innodb_flush_log/, row: { flush: 1 }, is: "host" },
  { database: onMysql, on: /innodb_flush_log/, row: { flush: 2 }, is: "process" },
  { database: onMysql, on: /innodb_flush_log/, row: { flush: 0 }, is: "process" },
  { database: sqliteFile, on: /^PRAGMA synchronous/, row: { synchronous: 1 }, is: "process" },
  { database: sqliteFile, on: /^PRAGMA synchronous/, row: { synchronous: 2 }, is: "host" }
] as const

for (const { database, is, on, row } of settings) {
  describe.skipIf(!database.present)(`the durability of ${database.name}`, () => {
    testOn(database)(`with ${JSON.stringify(row)} is ${is}`, (place) =>
      Effect.gen(function*() {
        const { layer, lines } = collectedLogs()
        const client = watched(yield* place.open, answering(on, row))
        const backend = yield* Effect.provide(backendOn(client, place), layer)
        expect(backend.info.durability).toBe(is)
        const warned = lines.filter(({ message }) => message.includes("may lose the last commits"))
        // On SQLite it is the default, and the engine's own line at the start says so.
        expect(warned.length).toBe(is === "process" && database !== sqliteFile ? 1 : 0)
      }))
  })
}

describe("an SQLite file", () => {
  for (const [synchronous, durability] of [["full", "host"], ["normal", "process"]] as const) {
    testOn(sqliteFile)(
      `with synchronous ${synchronous} says so, and its connection is told`,
      ({ place }) =>
        Effect.gen(function*() {
          const filename = join(place, "tasks.db")
          const backend = yield* Effect.provide(TaskBackend, SqliteBackend.layer({ filename, synchronous }))
          // Read back from the connection that writes, at its start.
          expect(backend.info).toMatchObject({ durability, shared: true })
        })
    )
  }

  it.scopedLive("in memory keeps nothing", () =>
    Effect.gen(function*() {
      const backend = yield* Effect.provide(
        TaskBackend,
        SqliteBackend.layer({ filename: ":memory:", synchronous: "full" })
      )
      expect(backend.info).toMatchObject({ durability: "none", shared: false })
    }))

  testOn(sqliteFile)(
    "that another process writes to for six seconds is waited for at the first start",
    ({ open, place }) =>
      Effect.gen(function*() {
        const filename = join(place, "tasks.db")
        const other = yield* open
        yield* other.unsafe("BEGIN IMMEDIATE")
        yield* Effect.fork(Effect.delay(other.unsafe("COMMIT"), "6 seconds"))
        yield* Effect.gen(function*() {
          const backend = yield* TaskBackend
          yield* backend.attach(facts(), now)
          expect(yield* backend.write(batchOf(1, [task()]))).toEqual([{ _tag: "Applied" }])
        }).pipe(Effect.provide(SqliteBackend.layer({ filename })))
      })
  )
})

describe.skipIf(!onPostgres.present)("a PostgreSQL database that is not in UTF8", () => {
  testOn(onPostgres)("is refused, and told why", ({ open, prefix }) =>
    Effect.gen(function*() {
      const admin = yield* open
      const name = `${prefix}latin`
      yield* Effect.acquireRelease(
        admin.unsafe(`CREATE DATABASE ${name} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`),
        () => Effect.ignore(admin.unsafe(`DROP DATABASE ${name}`))
      )
      const exit = yield* Effect.exit(Effect.scoped(Effect.flatMap(
        PgClient.make({ ...postgres, database: name, maxConnections: 3 }),
        (client) => backendOn(client, { prefix })
      )))
      expect(failure(exit)).toBeInstanceOf(TaskBackendError)
      expect(String(failure(exit))).toContain("the encoding of the database is LATIN1")
    }))
})

describe.skipIf(!onMysql.present)("tables that another process makes", () => {
  testOn(onMysql)("for longer than a minute fail the start, on MySQL or MariaDB", (place) =>
    Effect.gen(function*() {
      for (const taken of [0, null]) {
        const client = watched(yield* place.open, answering(/GET_LOCK/, { taken }))
        const exit = yield* Effect.exit(backendOn(client, place))
        expect(failure(exit)).toBeInstanceOf(TaskBackendError)
        expect(String(failure(exit))).toContain("another process has been making the tables")
      }
    }))
})

describe("a backend from configuration", () => {
  const started = (layer: Layer.Layer<TaskBackend, unknown>, values: ReadonlyArray<readonly [string, string]>) =>
    Effect.map(TaskBackend, ({ info }) => info.kind).pipe(
      Effect.provide(layer),
      Effect.withConfigProvider(ConfigProvider.fromMap(new Map(values)))
    )

  testOn(sqliteFile)("is an SQLite file", ({ place }) =>
    Effect.gen(function*() {
      const layer = SqliteBackend.layerConfig({ filename: Config.string("FILE") })
      expect(yield* started(layer, [["FILE", join(place, "tasks.db")]])).toBe("sqlite")
      expect(failure(yield* Effect.exit(started(layer, [])))).toMatchObject({ _op: "MissingData" })
    }))

  describe.skipIf(!onPostgres.present)("for PostgreSQL", () => {
    testOn(onPostgres)("is that database", ({ prefix }) =>
      Effect.gen(function*() {
        const { database, host, port, username } = postgres
        const layer = PostgresBackend.layerConfig({ url: Config.redacted("DB"), prefix: Config.succeed(prefix) })
        const url = `postgres://${username}@${host}:${port}/${database}`
        expect(yield* started(layer, [["DB", url]])).toBe("postgres")
        expect(failure(yield* Effect.exit(started(layer, [])))).toMatchObject({ _op: "MissingData" })
      }))
  })

  describe.skipIf(!onMysql.present)("for MySQL or MariaDB", () => {
    testOn(onMysql)("is that database", ({ prefix }) =>
      Effect.gen(function*() {
        const { database, host, port, username } = mysql
        const layer = MysqlBackend.layerConfig({ url: Config.redacted("DB"), prefix: Config.succeed(prefix) })
        const url = `mysql://${username}@${host}:${port}/${database}`
        expect(yield* started(layer, [["DB", url]])).toBe("mysql")
        expect(failure(yield* Effect.exit(started(layer, [])))).toMatchObject({ _op: "MissingData" })
      }))
  })
})
