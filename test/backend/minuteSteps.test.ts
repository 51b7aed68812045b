/** Sums of a long past on SQLite: read in parts, with everything else in between, and right while the past is folded. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Option } from "effect"
import * as MinuteSteps from "../../src/backend/sql/minuteSteps.js"
import { sqliteDialect } from "../../src/backend/sql/sqliteDialect.js"
import * as Rollups from "../../src/internal/rollups.js"
import { backendOn, databases, facts, instance, watched } from "../support/sql.js"
import { testOn } from "../support/testOn.js"

const now = 30_000_011
const [sqlite] = databases

describe("the parts of a range of minutes", () => {
  const all = (first: number, end: number, long: number) => {
    const parts: Array<readonly [first: number, end: number]> = []
    for (let at = first, next = long; at < end;) {
      const part = MinuteSteps.partOf(at, next, { end, now })
      parts.push([at, part.end])
      at = part.end
      next = part.long * 2
    }
    return parts
  }

  for (const long of [1, 7, 100, 100_000]) {
    it(`cover it once, and leave whole what may be folded meanwhile: ${long}`, () => {
      const ranges = [[0, Number.MAX_SAFE_INTEGER], [now - 400, now + 1], [now - 50_000, now - 41_000], [
        now - 1,
        now + 5
      ]]
      for (const [first = 0, end = 0] of ranges) {
        const parts = all(first, end, long)
        expect(parts[0]![0]).toBe(first)
        expect(parts.at(-1)![1]).toBe(end)
        parts.slice(1).forEach(([at], index) => expect(at).toBe(parts[index]![1]))
        // Where a minute stands and where it may be moved to within the next minutes are in one part.
        const partAt = (minute: number) => parts.findIndex(([from, to]) => from <= minute && minute < to)
        const torn: Array<number> = []
        for (let minute = Math.max(first, now - 45_000); minute < Math.min(end, now); minute += 1) {
          const place = Rollups.placeOf(minute, (now + 9) * 60_000)
          if (place >= first && place !== minute && partAt(place) !== partAt(minute)) torn.push(minute)
        }
        expect(torn).toEqual([])
      }
    })
  }
})

describe("sums on SQLite", () => {
  testOn(sqlite!)(
    "are read in many parts, with heartbeats in between, while minutes become hours",
    (place) =>
      Effect.gen(function*() {
        const millis = yield* Clock.currentTimeMillis
        const minute = Rollups.minuteOf(millis)
        const plain = yield* place.open
        const { rollups } = place.tables
        let parts = 0
        const client = watched(plain, ({ run, text }) => {
          if (text.startsWith("SELECT minute - minute %")) parts += 1
          return run
        })
        const backend = yield* backendOn(client, place)
        yield* backend.attach(facts(), millis)
        const rows = Array.from({ length: 600 }, (_, age) => minute - age).flatMap((at) =>
          Array.from({ length: 20 }, (_, bucket) => [at, "\"a\"", instance, "success", bucket, 1, 10, 10, 10])
        )
        yield* Effect.scoped(Effect.gen(function*() {
          const db = sqliteDialect.db(yield* plain.reserve)
          for (const one of sqliteDialect.insert(rollups, rows)) yield* db.all(one)
        }))
        const reading = yield* Effect.fork(Effect.all([
          backend.rollups({ since: 0, until: millis + 1, width: Number.POSITIVE_INFINITY }),
          backend.stats({})
        ], { concurrency: 2 }))
        let beats = 0
        while (Option.isNone(yield* Fiber.poll(reading))) {
          yield* backend.heartbeat(instance, millis)
          yield* backend.maintain(millis)
          beats += 1
          yield* Effect.sleep("1 millis")
        }
        const [[total], stats] = yield* reading
        expect(total).toMatchObject({ ends: { success: 12_000 }, durations: { count: 12_000, sum: 120_000 } })
        expect(total?.durations.buckets.get(7)).toBe(600)
        expect(stats.counts.success).toBe(12_000)
        expect(parts).toBeGreaterThan(10)
        expect(beats).toBeGreaterThan(0)
      })
  )
})
