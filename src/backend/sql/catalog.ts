/** What a database says of its own tables: which there are, with which columns and indexes, and which steps made them. */
import type * as Client from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import type { TablesState } from "../Inspector.js"
import type { Dialect } from "./dialect.js"
import { stepsOf } from "./migrations.js"
import { type Tables, version as known } from "./schema.js"

/** Of one table. */
export interface TableFacts {
  readonly columns: ReadonlySet<string>
  readonly indexes: ReadonlySet<string>
  /** Indexes that are there and not used: on PostgreSQL one that was built concurrently and did not succeed. */
  readonly invalid: ReadonlySet<string>
}

/** Tables by their name in the database. */
export type Catalog = ReadonlyMap<string, TableFacts>

interface Found {
  readonly tab: string
  readonly name: string
  readonly invalid?: unknown
}

// The names are our constants behind a checked prefix.
const listed = (names: ReadonlyArray<string>) => names.map((name) => `'${name}'`).join(", ")

const questions = {
  sqlite: (names: ReadonlyArray<string>) => ({
    columns: `SELECT m.name AS tab, c.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c ` +
      `WHERE m.type = 'table' AND m.name IN (${listed(names)})`,
    indexes: `SELECT tbl_name AS tab, name AS name FROM sqlite_master WHERE type = 'index' AND ` +
      `tbl_name IN (${listed(names)})`
  }),
  // As the statements find them: by the search path.
  postgres: (names: ReadonlyArray<string>) => {
    const ids = names.map((name) => `to_regclass('${name}')`).join(", ")
    return {
      columns: `SELECT t.relname AS tab, a.attname AS name FROM pg_class t JOIN pg_attribute a ON a.attrelid = t.oid ` +
        `WHERE t.oid IN (${ids}) AND a.attnum > 0 AND NOT a.attisdropped`,
      indexes: `SELECT t.relname AS tab, i.relname AS name, CASE WHEN x.indisvalid THEN 0 ELSE 1 END AS invalid ` +
        `FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid ` +
        `WHERE t.oid IN (${ids})`
    }
  },
  mysql: (names: ReadonlyArray<string>) => ({
    columns: `SELECT table_name AS tab, column_name AS name FROM information_schema.columns ` +
      `WHERE table_schema = DATABASE() AND table_name IN (${listed(names)})`,
    indexes: `SELECT DISTINCT table_name AS tab, index_name AS name FROM information_schema.statistics ` +
      `WHERE table_schema = DATABASE() AND table_name IN (${listed(names)})`
  })
}

/** Of these tables, as far as they are there. */
export const catalogOf = (
  client: Client.SqlClient,
  dialect: Dialect,
  names: ReadonlyArray<string>
): Effect.Effect<Catalog, SqlError> => {
  const { columns, indexes } = questions[dialect.kind](names)
  return Effect.map(
    Effect.zip(client.unsafe<Found>(columns), client.unsafe<Found>(indexes)),
    ([columns, indexes]) => {
      const catalog = new Map<string, { columns: Set<string>; indexes: Set<string>; invalid: Set<string> }>()
      for (const { name, tab } of columns) {
        const table = catalog.get(tab) ?? { columns: new Set(), indexes: new Set(), invalid: new Set() }
        catalog.set(tab, table)
        table.columns.add(name)
      }
      for (const { invalid, name, tab } of indexes) {
        catalog.get(tab)?.indexes.add(name)
        if (Number(invalid ?? 0) === 1) catalog.get(tab)?.invalid.add(name)
      }
      return catalog
    }
  )
}

const first = 1_000

/** Which version the tables have, by the steps that were noted. `catalog` has the table of steps, if there is one. */
export const stateOf = (
  client: Client.SqlClient,
  dialect: Dialect,
  tables: Tables,
  prefix: string,
  catalog: Catalog
): Effect.Effect<TablesState, SqlError> =>
  Effect.gen(function*() {
    const steps = stepsOf(dialect, tables)
    const noted = `${prefix}migrations`
    const none = { _tag: "None", known, pending: steps } as const
    if (!catalog.has(noted)) return none
    const [row] = yield* client.unsafe<{ readonly last: number | string | null }>(
      `SELECT MAX(migration_id) AS last FROM ${noted}`
    )
    const done = row === undefined || row.last === null ? 0 : Number(row.last) - first + 1
    if (done <= 0) return none
    const pending = steps.slice(done)
    const [next] = pending
    if (next !== undefined) return { _tag: "Old", version: next.version - 1, known, pending }
    if (done === steps.length) return { _tag: "Current", version: known, known }
    // The names of later steps begin with their version.
    const newer = yield* client.unsafe<{ readonly name: string }>(
      `SELECT name FROM ${noted} WHERE migration_id >= ${first + steps.length} ORDER BY migration_id DESC LIMIT 1`
    )
    const version = Number(/^v(\d+)_/.exec(newer[0]?.name ?? "")?.[1] ?? known + 1)
    return { _tag: "Newer", version, known }
  })
