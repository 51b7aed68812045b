/**
 * Tasks beside the application's own tables, through the SqlClient it has: one database to back up, one pool to size.
 *
 * node --conditions=@effect-taskflow/source --import tsx examples/08-your-own-database.ts
 */
import { SqlClient } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Console, Effect, Layer, Schema } from "effect"
import { Task, TaskContext, TaskflowLayer, TaskManager } from "effect-taskflow"
import { SqlBackend } from "effect-taskflow/sql"

const Ship = Task.make("ship", {
  payload: { order: Schema.String },
  success: Schema.Int,
  retry: { retries: 2, delay: "10 millis" },
  idempotencyKey: ({ order }) => order
})

// A handler uses the same client. A task may run twice (after a crash, say), so the effect is written to be repeated.
const ShipHandler = Ship.toLayer(({ order }) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const { attempt } = yield* TaskContext.current
    yield* sql`UPDATE orders SET shipped = 1 WHERE id = ${order}`
    if (attempt === 0) return yield* Effect.dieMessage("the carrier did not answer")
    const [row] = yield* sql<{ readonly n: number }>`SELECT COUNT(*) AS n FROM orders WHERE shipped = 1`
    return row!.n
  }).pipe(Effect.orDie)
)

const OrdersTable = Layer.effectDiscard(
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) => sql`CREATE TABLE orders (id TEXT PRIMARY KEY, shipped INTEGER NOT NULL DEFAULT 0)`
  )
)

// PgClient.layer or MysqlClient.layer would do as well; ":memory:" keeps the example to itself.
const Database = SqliteClient.layer({ filename: ":memory:" })

// All tables of the engine begin with the prefix.
const Engine = TaskflowLayer({ announce: false }).pipe(Layer.provide(SqlBackend.layer({ prefix: "jobs_" })))

const Main = Layer.mergeAll(ShipHandler, OrdersTable).pipe(
  Layer.provideMerge(Engine),
  Layer.provideMerge(Database)
)

export const program = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const place = (id: string) =>
    Effect.zipRight(sql`INSERT INTO orders (id) VALUES (${id})`, Ship.enqueue({ order: id }))

  // The order and its task commit together, or neither of them was ever there.
  const { taskId } = yield* sql.withTransaction(place("o-1"))
  yield* Effect.flip(sql.withTransaction(Effect.zipRight(place("o-2"), Effect.fail("changed my mind"))))
  const shipped = yield* Ship.awaitResult(taskId)

  const tables = yield* sql<
    { readonly name: string }
  >`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`
  const tasks = (yield* (yield* TaskManager).list()).items.map(({ idempotencyKey }) => idempotencyKey)
  return {
    shipped,
    tasks,
    orders: yield* sql`SELECT id, shipped FROM orders ORDER BY id`,
    ofTheEngine: tables.filter(({ name }) => name.startsWith("jobs_")).length > 5,
    ofTheApplication: tables.filter(({ name }) => !/^(jobs_|sqlite_)/.test(name)).map(({ name }) => name)
  }
}).pipe(Effect.provide(Main))

if (process.argv[1] === import.meta.filename) {
  await Effect.runPromise(Effect.flatMap(program, Console.log))
}
