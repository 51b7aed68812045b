/** Much at once: many large texts in one write, and texts that cannot be. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { TaskBackendError } from "effect-taskflow"
import { arrayOf } from "../../src/backend/sql/postgresText.js"
import { textsThatFit } from "../../src/backend/sql/write.js"
import {
  backendOn,
  batchOf,
  claimOf,
  databases,
  facts,
  instance,
  now,
  successOf,
  task,
  watched
} from "../support/sql.js"
import { testOn } from "../support/testOn.js"

// Together more than one statement carries.
const text = JSON.stringify("x".repeat(900_000))
const many = () => Array.from({ length: 12 }, () => task({ payload: text }))
const longest = 9_000_000

for (const database of databases) {
  describe.skipIf(!database.present)(`many large tasks at once on ${database.name}`, () => {
    testOn(database)(
      "are written, started and ended in statements of a few megabytes",
      (place) =>
        Effect.gen(function*() {
          let most = 0
          const client = watched(yield* place.open, ({ params, run }) => {
            const size = params.reduce<number>((sum, one) => sum + (typeof one === "string" ? one.length : 0), 0)
            most = Math.max(most, size)
            return run
          })
          const backend = yield* backendOn(client, place)
          yield* backend.attach(facts(), now)
          const records = many()
          const outcomes = yield* backend.write(batchOf(1, records))
          expect(outcomes).toEqual(records.map(() => ({ _tag: "Applied" })))
          const { started } = yield* claimOf(backend, 20)
          expect(started.map(({ payload }) => payload === text)).toEqual(records.map(() => true))
          const changes = started.map((record) => successOf(record, text))
          expect(yield* backend.write({ instance, lane: "journal", number: 2, now, changes })).toEqual(
            records.map(() => ({ _tag: "Applied" }))
          )
          expect((yield* backend.list({ status: ["success"] })).items.length).toBe(12)
          if (database.kind !== "sqlite") expect(most).toBeLessThan(longest)
        })
    )
  })
}

describe("texts that are longer than texts can be", () => {
  const piece = "x".repeat(2 ** 28)
  it.effect("are a row that cannot be written", () =>
    Effect.gen(function*() {
      const joined = Effect.sync(() => arrayOf("text", [piece, piece, piece]))
      const exit = yield* Effect.exit(textsThatFit(joined))
      expect(Exit.isFailure(exit) && Cause.failureOption(exit.cause)).toMatchObject({ value: { _tag: "RowTooLarge" } })
      const other = yield* Effect.exit(textsThatFit(Effect.die(new Error("another"))))
      expect(Exit.isFailure(other) && other.cause._tag).toBe("Die")
    }))

  const database = databases.find(({ kind }) => kind === "postgres")!
  describe.skipIf(!database.present)("in PostgreSQL", () => {
    testOn(database)("fail for good, whatever in the driver says so", (place) =>
      Effect.gen(function*() {
        const client = watched(
          yield* place.open,
          ({ run, text: sql }) => sql.startsWith("WITH me") ? Effect.die(new RangeError("Invalid string length")) : run
        )
        const backend = yield* backendOn(client, place)
        yield* backend.attach(facts(), now)
        const exit = yield* Effect.exit(backend.write(batchOf(1, [task()])))
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : null
        expect(error).toBeInstanceOf(TaskBackendError)
        expect(error).toMatchObject({ cause: { permanent: true, message: "Invalid string length" } })
      }))
  })
})
