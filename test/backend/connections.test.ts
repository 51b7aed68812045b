import type { SqlClient } from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Exit } from "effect"
import { dedicated } from "../../src/backend/sql/connections.js"
import { postgresDialect } from "../../src/backend/sql/postgresDialect.js"

const dialect = { ...postgresDialect, session: [], sessionHints: [], end: null }

describe("a connection of the engine that does not answer", () => {
  for (const late of ["fails", "answers"] as const) {
    it.scopedLive(`is replaced, and lets go of itself alone when it ${late} at last`, () =>
      Effect.gen(function*() {
        const answer = yield* Deferred.make<{ readonly rows: ReadonlyArray<object> }, SqlError>()
        let opened = 0
        const released: Array<number> = []
        const reserve = Effect.acquireRelease(
          Effect.sync(() => {
            opened += 1
            const number = opened
            const executeRaw = () => number === 1 ? Deferred.await(answer) : Effect.succeed({ rows: [{ number }] })
            return { number, executeRaw }
          }),
          ({ number }) => Effect.sync(() => released.push(number))
        )
        // safe: what `dedicated` uses of a client
        const connections = yield* dedicated({ reserve } as unknown as SqlClient, dialect, 30)
        const ask = connections.use((db) => db.all({ sql: "SELECT 1", params: [] }))

        expect(Exit.isFailure(yield* Effect.exit(ask))).toBe(true)
        expect(yield* ask).toEqual([{ number: 2 }])
        expect(released).toEqual([])

        const error = new SqlError({ message: "reset", cause: new Error("reset") })
        yield* late === "fails" ? Deferred.fail(answer, error) : Deferred.succeed(answer, { rows: [] })
        yield* Effect.sleep("20 millis")
        expect(released).toEqual([1])
        expect(yield* ask).toEqual([{ number: 2 }])
        expect(opened).toBe(2)
      }))
  }
})
