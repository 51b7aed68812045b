/** A connection that is asked for no transaction, because each statement begins one: none stays open behind its use. */
import { describe, expect } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { dedicated } from "../../src/backend/sql/connections.js"
import { mysqlDialect } from "../../src/backend/sql/mysqlDialect.js"
import { databases } from "../support/sql.js"
import { type Place, testOn } from "../support/testOn.js"

for (const database of databases.filter(({ kind }) => kind === "mysql")) {
  const test = testOn(database)

  describe.skipIf(!database.present)(`the connection that writes batches on ${database.name}`, () => {
    const place = Effect.fnUntraced(function*(open: Place["open"], prefix: string) {
      const [client, other] = [yield* open, yield* open]
      const table = `${prefix}migrations`
      yield* other.unsafe(`CREATE TABLE ${table} (id INTEGER PRIMARY KEY) ENGINE=InnoDB`)
      return {
        connections: yield* dedicated(client, mysqlDialect, undefined, true),
        list: { sql: `SELECT id FROM ${table} ORDER BY id`, params: [] },
        // Fails at once where somebody's transaction holds a row.
        others: other.withTransaction(other.unsafe(`SELECT id FROM ${table} ORDER BY id FOR UPDATE NOWAIT`)),
        put: (id: number) => ({ sql: `INSERT INTO ${table} (id) VALUES (${id})`, params: [] }),
        putByOther: (id: number) => other.unsafe(`INSERT INTO ${table} (id) VALUES (${id})`)
      }
    })
    const rows = (...ids: ReadonlyArray<number>) => ids.map((id) => ({ id }))

    test("commits what a use or a transaction did, and nothing of one that failed", ({ open, prefix }) =>
      Effect.gen(function*() {
        const { connections, others, put } = yield* place(open, prefix)
        yield* connections.use((db) => db.all(put(1)))
        expect(yield* others).toEqual(rows(1))
        for (const failing of [connections.use, connections.transaction]) {
          const exit = yield* Effect.exit(
            failing((db) => Effect.zipRight(db.all(put(2)), Effect.fail("refused" as const)))
          )
          expect(exit).toEqual(Exit.fail("refused"))
          expect(yield* others).toEqual(rows(1))
        }
        // A statement that failed takes nothing with it that comes later.
        expect(Exit.isFailure(yield* Effect.exit(connections.transaction((db) => db.all(put(1)))))).toBe(true)
        yield* connections.transaction((db) => db.all(put(3)))
        expect(yield* others).toEqual(rows(1, 3))
      }))

    test("reads what others committed since it read before", ({ open, prefix }) =>
      Effect.gen(function*() {
        const { connections, list, putByOther } = yield* place(open, prefix)
        const listed = connections.use((db) => db.all(list))
        expect(yield* listed).toEqual([])
        yield* putByOther(1)
        expect(yield* listed).toEqual(rows(1))
      }))
  })
}
