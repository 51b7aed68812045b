/** An upgrade of the tables beside processes of the earlier version. */
import { describe, expect } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { dedicated } from "../../src/backend/sql/connections.js"
import * as Migrations from "../../src/backend/sql/migrations.js"
import { postgresDialect as dialect } from "../../src/backend/sql/postgresDialect.js"
import { databases } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

for (const database of databases.filter(({ kind }) => kind === "postgres")) {
  const test = testOn(database)

  describe.skipIf(!database.present)(`an upgrade on ${database.name}`, () => {
    // Or it would wait for whoever read the table, who waits for it as soon as he wants to write: a claim does both.
    test("holds nothing of the tasks while it waits for them", ({ open, prefix, tables }) =>
      Effect.gen(function*() {
        const [client, other] = [yield* open, yield* open]
        const steps = Migrations.stepsOf(dialect, tables)
        // The last one that changes something here.
        const version = Math.max(...steps.map((step) => step.version))
        const older = steps.filter((step) => step.version < version).length
        const migrate = (upTo: number) =>
          Effect.scoped(Effect.flatMap(dedicated(client, dialect), (connections) =>
            Migrations.migrate(client, connections, dialect, tables, prefix, upTo)))
        yield* migrate(older)
        const locks = (what: string) =>
          client.unsafe<{ readonly mode: string }>(
            `SELECT mode FROM pg_locks WHERE relation = $1::regclass AND pid <> pg_backend_pid() AND ${what}`,
            [tables.live.name]
          )
        // Not by the client: a transaction of its would be that of the upgrade too.
        const reader = yield* other.reserve
        const say = (sql: string) =>
          reader.executeUnprepared(sql, [], undefined)
        yield* say("BEGIN")
        yield* say(`SELECT id FROM ${tables.live.name}`)
        const upgrade = yield* Effect.fork(migrate(steps.length))
        yield* Effect.repeat(locks("NOT granted"), { until: (waiting) => waiting.length > 0 })
        expect((yield* locks("granted")).map(({ mode }) => mode)).toEqual(["AccessShareLock"])
        yield* say(`UPDATE ${tables.live.name} SET active = 0`)
        yield* say("COMMIT")
        yield* Fiber.join(upgrade)
      }))
  })
}
