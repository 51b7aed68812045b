/** Removing what is old leaves the engine's connection to others again and again. */
import { describe, expect } from "@effect/vitest"
import { Effect, Fiber, Option } from "effect"
import { doneRow } from "../../src/backend/sql/doneRows.js"
import { mysqlDialect } from "../../src/backend/sql/mysqlDialect.js"
import { postgresDialect } from "../../src/backend/sql/postgresDialect.js"
import { sqliteDialect } from "../../src/backend/sql/sqliteDialect.js"
import { backendOn, databases, facts, instance, now, rowsOf, task, watched } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

const dialects = { sqlite: sqliteDialect, postgres: postgresDialect, mysql: mysqlDialect }
const lines = 3_000

for (const database of databases) {
  describe.skipIf(!database.present)(`removing tasks with long logs on ${database.name}`, () => {
    testOn(database)("is done in many short steps, with heartbeats in between", (place) =>
      Effect.gen(function*() {
        const dialect = dialects[database.kind]
        const plain = yield* place.open
        let most = 0
        const client = watched(plain, ({ run, text }) =>
          text.startsWith(`DELETE FROM ${place.tables.logs.name}`)
            ? Effect.tap(run, (header) =>
              Effect.sync(() => {
                most = Math.max(most, Number(header?.rowCount ?? header?.affectedRows ?? 0))
              }))
            : run)
        const backend = yield* backendOn(client, place)
        yield* backend.attach(facts(), now)
        const ended = Array.from({ length: 3 }, () => ({ ...task(), status: "success" as const, endedAt: now }))
        yield* Effect.scoped(Effect.gen(function*() {
          const db = dialect.db(yield* plain.reserve)
          const rows = ended.flatMap(({ taskId }) => Array.from({ length: lines }, () => [taskId, "{}"]))
          for (const one of dialect.insert(place.tables.done, ended.map(doneRow))) yield* db.all(one)
          for (const one of dialect.insert(place.tables.logs, rows)) yield* db.all(one)
        }))
        expect(yield* rowsOf(plain, place.tables.logs.name)).toBe(3 * lines)
        const removing = yield* Effect.fork(backend.deleteBefore(now + 1, 500))
        let beats = 0
        while (Option.isNone(yield* Fiber.poll(removing))) {
          yield* backend.heartbeat(instance, now)
          beats += 1
          yield* Effect.sleep("1 millis")
        }
        expect(yield* removing).toBe(3)
        expect(beats).toBeGreaterThan(5)
        expect(most).toBeLessThanOrEqual(1_000)
        for (const table of [place.tables.logs, place.tables.done]) expect(yield* rowsOf(plain, table.name)).toBe(0)
      }))
  })
}
