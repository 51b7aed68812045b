/** The engine beside the application in one pool, and a server that goes silent. */
import { Reactivity } from "@effect/experimental"
import type { SqlClient } from "@effect/sql/SqlClient"
import { MysqlClient } from "@effect/sql-mysql2"
import { PgClient } from "@effect/sql-pg"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Exit, type Scope } from "effect"
import { dedicated } from "../../src/backend/sql/connections.js"
import { mysqlDialect } from "../../src/backend/sql/mysqlDialect.js"
import { pooled } from "../../src/backend/sql/pooled.js"
import { postgresDialect } from "../../src/backend/sql/postgresDialect.js"
import { makeProxy } from "../chaos/support/proxy.js"
import { hasMysql, hasPostgres, mysql, mysqlPrefix, postgres, postgresPrefix } from "../support/databases.js"
import { backendOn, batchOf, facts, instance, now, task } from "../support/sql.js"

type Open = Effect.Effect<SqlClient, unknown, Scope.Scope | Reactivity.Reactivity>

const servers = [
  {
    name: "PostgreSQL",
    present: await hasPostgres(),
    port: postgres.port,
    dialect: postgresDialect,
    prefix: postgresPrefix,
    open: (port: number): Open => PgClient.make({ ...postgres, port, maxConnections: 3 })
  },
  {
    name: "MySQL or MariaDB",
    present: await hasMysql(),
    port: mysql.port,
    dialect: mysqlDialect,
    prefix: mysqlPrefix,
    open: (port: number): Open => MysqlClient.make({ ...mysql, port, maxConnections: 3 })
  }
]

for (const { dialect, name, open, port, prefix, present } of servers) {
  const test = (
    what: string,
    body: Effect.Effect<void, unknown, Scope.Scope | Reactivity.Reactivity>
  ) => it.scopedLive(what, () => Effect.provide(body, Reactivity.layer), 30_000)

  describe.skipIf(!present)(`a pool of ${name}`, () => {
    test(
      "that the application takes whole leaves the engine its two connections",
      Effect.gen(function*() {
        const client = yield* open(port)
        const backend = yield* backendOn(client, { prefix: yield* prefix })
        const taken = yield* Effect.makeLatch()
        yield* Effect.fork(Effect.scoped(Effect.zipRight(client.reserve, Effect.zipRight(taken.open, Effect.never))))
        yield* taken.await
        // Waits for the next one that comes free.
        yield* Effect.fork(Effect.scoped(Effect.zipRight(client.reserve, Effect.never)))
        yield* Effect.sleep("50 millis")
        yield* backend.attach(facts(), now)
        expect(yield* backend.write(batchOf(1, [task()]))).toEqual([{ _tag: "Applied" }])
        expect((yield* backend.heartbeat(instance, now)).alive).toBe(true)
      })
    )

    test(
      "whose connections went silent gives others",
      Effect.gen(function*() {
        const way = yield* makeProxy({ target: { host: "127.0.0.1", port } })
        const client = yield* open(way.port)
        const reads = pooled(client, dialect, 500)
        const engine = yield* dedicated(client, dialect, 500)
        const ask = { sql: "SELECT 1 AS one", params: [] }
        const all = Effect.all([reads.use((db) => db.all(ask)), engine.use((db) => db.all(ask))], {
          concurrency: "unbounded",
          mode: "either"
        })
        expect((yield* all).map(({ _tag }) => _tag)).toEqual(["Right", "Right"])
        for (let round = 0; round < 3; round += 1) {
          yield* way.silence
          expect((yield* all).map(({ _tag }) => _tag)).toEqual(["Left", "Left"])
          const again = yield* Effect.exit(Effect.retry(all, { times: 3 }))
          expect(Exit.isSuccess(again) && again.value.map(({ _tag }) => _tag)).toEqual(["Right", "Right"])
        }
      })
    )
  })
}
