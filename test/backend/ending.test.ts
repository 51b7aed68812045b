/** An application that is asked to end does not wait for locks of others. */
import type { SqlClient } from "@effect/sql/SqlClient"
import { describe, expect } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { mysqlDialect } from "../../src/backend/sql/mysqlDialect.js"
import { postgresDialect } from "../../src/backend/sql/postgresDialect.js"
import { backendOn, databases, watched } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

// Far less than any of these locks is waited for, and far more than an end takes.
const ends = "40 seconds"

/** A connection of a client for one to use until the scope ends. */
const connectionOf = (client: SqlClient) =>
  Effect.map(client.reserve, (connection) => (text: string) => connection.executeUnprepared(text, [], undefined))

for (const database of databases.filter(({ kind }) => kind !== "sqlite")) {
  const dialect = database.kind === "mysql" ? mysqlDialect : postgresDialect
  const test = testOn(database)

  describe.skipIf(!database.present)(`an application on ${database.name} that ends`, () => {
    test("does not wait for tables that another process is making", (place) =>
      Effect.gen(function*() {
        const { give, take } = dialect.migrationLock!
        const other = yield* connectionOf(yield* place.open)
        for (const text of take) yield* other(text)
        const asked = yield* Deferred.make<void>()
        const starting = yield* Effect.gen(function*() {
          const client = watched(yield* place.open, ({ run, text }) =>
            take.includes(text) ? Effect.zipRight(Deferred.succeed(asked, undefined), run) : run)
          return yield* backendOn(client, place)
        }).pipe(Effect.scoped, Effect.fork)
        yield* Deferred.await(asked)
        yield* Effect.timeout(Fiber.interrupt(starting), ends)
        for (const text of give) {
          yield* other(text)
        }
      }))

    test("does not wait for the transaction of a handler that was left behind", (place) =>
      Effect.gen(function*() {
        const table = `${place.prefix}app`
        const other = yield* connectionOf(yield* place.open)
        yield* other(`CREATE TABLE ${table} (id INT PRIMARY KEY)`)
        yield* other(`INSERT INTO ${table} VALUES (1)`)
        yield* other(dialect.begin)
        yield* other(`SELECT id FROM ${table} FOR UPDATE`)

        const scope = yield* Scope.make()
        const client = yield* Scope.extend(place.open, scope)
        const { transaction } = yield* Scope.extend(backendOn(client, place), scope)
        const begun = yield* Deferred.make<void>()
        const waits = Effect.zipRight(Deferred.succeed(begun, undefined), client.unsafe(`DELETE FROM ${table}`))
        const handler = yield* Effect.forkDaemon(transaction!.run(Effect.asVoid(waits)))
        yield* Deferred.await(begun)
        yield* Effect.timeout(Scope.close(scope, Exit.void), ends)
        expect(Exit.isFailure(yield* Effect.timeout(Fiber.await(handler), ends))).toBe(true)
        yield* other("ROLLBACK")
      }), 120_000)
  })
}
