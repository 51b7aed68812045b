/** What a database does for each statement that a backend sends to it: which tables it reads whole, and how many rows. */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import { Effect } from "effect"
import { type Sent, watched } from "./sql.js"

/** A statement, and how the database ran it. `rows`: how many it went through, null where the database cannot tell. */
export interface Planned {
  readonly during: string
  readonly text: string
  readonly whole: ReadonlyArray<string>
  readonly rows: number | null
  readonly plan: string
}

const explained = /^(SELECT|INSERT|UPDATE|DELETE)/

// As pg itself writes them, as literals whose type the statement tells.
const literal = (value: unknown): string => {
  if (value === null || value === undefined) return "NULL"
  if (Array.isArray(value)) {
    const elements = value.map((one: unknown) => one === null ? "NULL" : JSON.stringify(String(one)))
    return `'${`{${elements.join(",")}}`.replaceAll("'", "''")}'`
  }
  return `'${String(value).replaceAll("'", "''")}'`
}

interface Node {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Actual Rows": number
  readonly "Actual Loops": number
  readonly "Rows Removed by Filter"?: number
  readonly "Rows Removed by Index Recheck"?: number
  readonly Plans?: ReadonlyArray<Node>
}

/** The tables read whole and the most rows that one node of the plan went through. */
const walk = (node: Node, whole: Array<string>): number => {
  const removed = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0)
  const own = (node["Actual Rows"] + removed) * node["Actual Loops"]
  if (node["Node Type"] === "Seq Scan") whole.push(node["Relation Name"] ?? "")
  return Math.max(own, ...(node.Plans ?? []).map((child) => walk(child, whole)))
}

type Looked = Pick<Planned, "whole" | "rows" | "plan">

// On the same connection, so with its settings, in its transaction and undone again.
const onPostgres = ({ connection, params, text }: Sent, inside: boolean): Effect.Effect<Looked, SqlError> =>
  Effect.gen(function*() {
    const ask = (sql: string) => connection.executeRaw(sql, []) as Effect.Effect<{ readonly rows: any }, SqlError>
    yield* ask(inside ? "SAVEPOINT look" : "BEGIN")
    yield* ask(`PREPARE look AS ${text}`)
    const values = params.length === 0 ? "" : `(${params.map(literal).join(", ")})`
    const { rows } = yield* ask(`EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE look${values}`)
    yield* ask("DEALLOCATE look")
    yield* ask(inside ? "ROLLBACK TO SAVEPOINT look" : "ROLLBACK")
    const root = rows[0]["QUERY PLAN"][0].Plan
    const whole: Array<string> = []
    const most = walk(root, whole)
    return { whole, rows: most, plan: JSON.stringify(root) }
  })

const onMysql = ({ connection, params, text }: Sent): Effect.Effect<Looked, SqlError> =>
  Effect.map(connection.executeUnprepared(`EXPLAIN ${text}`, params, undefined), (rows) => {
    // A plan for new rows names their table, without rows that it would read.
    const read = rows.filter((row) => row.rows !== null)
    const whole = read.flatMap((row) => row.type === "ALL" ? [row.table] : [])
    return { whole, rows: null, plan: JSON.stringify(rows) }
  })

const readsOf = ({ connection }: Sent): Effect.Effect<number, SqlError> =>
  Effect.map(
    connection.executeUnprepared("SHOW SESSION STATUS LIKE 'Handler_read%'", [], undefined),
    (rows) => rows.reduce((sum, row) => sum + Number(row.Value), 0)
  )

const onSqlite = ({ connection, params, text }: Sent): Effect.Effect<Looked, SqlError> =>
  Effect.map(connection.execute(`EXPLAIN QUERY PLAN ${text}`, params, undefined), (rows) => {
    const details: ReadonlyArray<string> = rows.map((row) => row.detail)
    // In the order of the key and with a limit, a table is read from one end: there nearly everything waits.
    const sorted = details.some((detail) => detail.includes("TEMP B-TREE FOR ORDER BY"))
    const fromEnd = !sorted && /^SELECT [^(]* FROM \w+ (WHERE status = 'pending' )?ORDER BY (id|name|at)\b/.test(text)
    const whole = details.flatMap((detail) => {
      const found = /^SCAN (\S+)(?! USING COVERING INDEX \S+_suspect)(?! USING INDEX \S+_between)/.exec(detail)?.[1]
      return found === undefined || fromEnd ? [] : [found]
    })
    return { whole, rows: null, plan: details.join(" | ") }
  })

/** The client, and what its statements were planned as. `during` names what is going on. */
export const planned = (client: SqlClient) => {
  const seen: Array<Planned> = []
  const state = { during: null as string | null }
  const inside = new WeakSet<object>()
  const kind = client.onDialectOrElse({
    sqlite: () => "sqlite" as const,
    pg: () => "pg" as const,
    orElse: () => "mysql" as const
  })
  const via = (sent: Sent): Effect.Effect<any, SqlError> =>
    Effect.gen(function*() {
      const { connection, text } = sent
      if (/^(BEGIN|START)/.test(text)) inside.add(connection)
      if (/^(COMMIT|ROLLBACK)/.test(text)) inside.delete(connection)
      const { during } = state
      if (during === null || !explained.test(text) || text.includes("advisory_lock")) return yield* sent.run
      const looked = yield* kind === "pg"
        ? onPostgres(sent, inside.has(connection))
        : kind === "mysql"
        ? onMysql(sent)
        : onSqlite(sent)
      const before = kind === "mysql" ? yield* readsOf(sent) : 0
      const answer = yield* sent.run
      const rows = kind === "mysql" ? (yield* readsOf(sent)) - before : looked.rows
      seen.push({ during, text, ...looked, rows })
      return answer
    })
  const during = <A, E, R>(what: string, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        state.during = what
      }),
      () => self,
      () =>
        Effect.sync(() => {
          state.during = null
        })
    )
  return { client: watched(client, via), seen, during }
}
