/**
 * How the tables come to be and change: numbered steps, remembered in a table of their own, safe for several processes that
 * start at once on an empty database.
 */
import * as Migrator from "@effect/sql/Migrator"
import * as Client from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { v4 } from "uuid"
import type { Connections } from "./connections.js"
import type { Dialect } from "./dialect.js"
import type { Tables } from "./schema.js"

/** Steps by number and name. MySQL commits every DDL statement by itself, so each step is one statement that may be repeated. */
const stepsOf = (dialect: Dialect, tables: Tables): ReadonlyArray<readonly [name: string, sql: string]> =>
  Object.entries(tables).flatMap(([name, table]) =>
    dialect.createTable(table).map((sql, index) => [`${name}_${index}`, sql] as const)
  )

const first = 1_000

const loaderOf = (dialect: Dialect, tables: Tables) =>
  Migrator.fromRecord(Object.fromEntries(
    stepsOf(dialect, tables).map(([name, sql], index) => [
      `${first + index}_${name}`,
      Effect.flatMap(Client.SqlClient, (client) => client.unsafe(sql))
    ])
  ))

const retries = Schedule.intersect(
  Schedule.jittered(Schedule.exponential("20 millis")),
  Schedule.recurs(8)
)

/** Makes or upgrades the tables. `prefix` names the table of steps. */
export const run = (
  client: Client.SqlClient,
  connections: Connections,
  dialect: Dialect,
  tables: Tables,
  prefix: string
) => {
  // A step that fails dies in the migrator; whoever lost a race finds everything done at the next try.
  const migrate = Migrator.make({})({ loader: loaderOf(dialect, tables), table: `${prefix}migrations` }).pipe(
    Effect.provideService(Client.SqlClient, client),
    Effect.sandbox,
    Effect.retry(retries),
    Effect.unsandbox
  )
  const identify = connections.transaction((db) =>
    Effect.flatMap(db.all({ sql: `SELECT id FROM ${tables.meta.name}`, params: [] }), (rows) =>
      rows.length > 0
        ? Effect.succeed(rows[0]!["id"] as string) // safe: a text column
        : Effect.suspend(() => {
          const id = v4()
          return Effect.as(Effect.forEach(dialect.insert(tables.meta, [[id]]), db.all, { discard: true }), id)
        }))
  )
  const { migrationLock: lock } = dialect
  const all = Effect.zipRight(migrate, identify)
  return lock === null
    ? all
    : connections.use((db) =>
      Effect.acquireUseRelease(
        db.all({ sql: lock.take, params: [] }),
        () => migrate,
        () => Effect.ignore(db.all({ sql: lock.give, params: [] }))
      )
    ).pipe(Effect.zipRight(identify))
}
