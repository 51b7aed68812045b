/** `migrate`: what the tables are is said without a change, and made so. */
import { existsSync } from "node:fs"
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { dedicated, shared } from "../../src/backend/sql/connections.js"
import * as Migrations from "../../src/backend/sql/migrations.js"
import { mysqlDialect } from "../../src/backend/sql/mysqlDialect.js"
import { postgresDialect } from "../../src/backend/sql/postgresDialect.js"
import { version } from "../../src/backend/sql/schema.js"
import { sqliteDialect } from "../../src/backend/sql/sqliteDialect.js"
import { databases } from "../support/sql.js"
import { testOn } from "../support/testOn.js"
import { cli, jsonOf, kinds, mysqlUrl, postgresUrl, sqlite, testOn as onKind } from "./support.js"

const dialects = { sqlite: sqliteDialect, postgres: postgresDialect, mysql: mysqlDialect }
const urlOf = (kind: string, place: string): string =>
  kind === "sqlite" ? `sqlite:${place}/tasks.db` : kind === "postgres" ? postgresUrl : mysqlUrl

for (const database of databases) {
  const test = testOn(database)
  const dialect = dialects[database.kind]

  describe.skipIf(!database.present)(`the tables on ${database.name}`, () => {
    test("that are not there are made, and are as they should be then", ({ open, place, prefix }) =>
      Effect.gen(function*() {
        const at = ["--url", urlOf(database.kind, place), "--prefix", prefix]
        // An SQLite file has to be there.
        yield* Effect.flatMap(open, (client) => client.unsafe("SELECT 1"))
        const before = yield* cli(["migrate", "status", ...at, "--json"])
        expect(before.code).toBe(1)
        expect(jsonOf(before)).toMatchObject({ state: "none", version: null, known: version })
        expect(jsonOf(before).pending.length).toBeGreaterThan(20)
        const list = yield* cli(["list", ...at])
        expect(list).toMatchObject({ code: 1, out: "" })
        expect(list.note).toContain("migrate up")
        // Neither made anything.
        expect(jsonOf(yield* cli(["migrate", "status", ...at, "--json"]))).toEqual(jsonOf(before))

        const up = yield* cli(["migrate", "up", ...at])
        expect(up.code).toBe(0)
        expect(up.out).toContain(`the tables are of version ${version}, as they should be now`)
        expect(jsonOf(yield* cli(["migrate", "status", ...at, "--json"]))).toMatchObject({
          state: "current",
          version,
          pending: []
        })
        expect(yield* cli(["migrate", "up", ...at])).toMatchObject({ code: 0 })
        expect(yield* cli(["doctor", ...at])).toMatchObject({ code: 0 })
      }))

    test("of an older version are named, left alone by everything else, and brought up", ({ open, place, prefix, tables }) =>
      Effect.gen(function*() {
        const at = ["--url", urlOf(database.kind, place), "--prefix", prefix]
        const client = yield* open
        // A version may have a step on some databases alone.
        const all = Migrations.stepsOf(dialect, tables)
        const older = Math.max(...all.map((step) => step.version)) - 1
        const steps = all.filter((step) => step.version <= older)
        const own = database.kind === "sqlite" ? shared(client, dialect) : yield* dedicated(client, dialect)
        yield* Migrations.migrate(client, own, dialect, tables, prefix, steps.length)
        const status = yield* cli(["migrate", "status", ...at, "--json"])
        expect(status.code).toBe(1)
        expect(jsonOf(status)).toMatchObject({ state: "old", version: older, known: version })
        for (const words of [["list"], ["pause", "--all"], ["prune", "--older-than", "1d", "--yes"]]) {
          const refused = yield* cli([...words, ...at])
          expect(refused).toMatchObject({ code: 1, out: "" })
          expect(refused.note).toContain(`of version ${older}`)
        }
        const doctor = yield* cli(["doctor", ...at])
        expect(doctor.code).toBe(3)
        expect(doctor.out).toContain("tables.old")
        expect(jsonOf(yield* cli(["migrate", "status", ...at, "--json"]))).toEqual(jsonOf(status))
        expect(yield* cli(["migrate", "up", ...at])).toMatchObject({ code: 0 })
        expect(yield* cli(["doctor", ...at])).toMatchObject({ code: 0 })
      }))

    test("of a newer version are left alone by everything", ({ open, place, prefix }) =>
      Effect.gen(function*() {
        const at = ["--url", urlOf(database.kind, place), "--prefix", prefix]
        const client = yield* open
        yield* client.unsafe("SELECT 1")
        yield* cli(["migrate", "up", ...at])
        yield* client.unsafe(
          `INSERT INTO ${prefix}migrations (migration_id, name) VALUES (1900, 'v${version + 2}_live_more')`
        )
        for (const words of [["migrate", "up"], ["list"], ["resume", "--all"]]) {
          const refused = yield* cli([...words, ...at])
          expect(refused).toMatchObject({ code: 1, out: "" })
          expect(refused.note).toContain(`of version ${version + 2}`)
        }
        expect(yield* cli(["migrate", "status", ...at])).toMatchObject({ code: 1 })
        expect((yield* cli(["doctor", ...at])).out).toContain("tables.newer")
      }))
  })
}

onKind(sqlite)("a file that is not there is made by migrate up alone", ({ at, url }) =>
  Effect.gen(function*() {
    const file = url.slice("sqlite:".length)
    for (const words of [["migrate", "status"], ["list"], ["doctor"], ["prune", "--older-than", "1d", "-y"]]) {
      const refused = yield* cli([...words, ...at])
      expect(refused).toMatchObject({ code: 1, out: "" })
      expect(refused.note).toContain(`there is no file ${file}`)
      expect(existsSync(file)).toBe(false)
    }
    expect(yield* cli(["migrate", "up", ...at])).toMatchObject({ code: 0 })
    expect(yield* cli(["migrate", "status", ...at])).toMatchObject({ code: 0 })
  }))

const redis = kinds.find(({ name }) => name === "Redis")!
describe.skipIf(!redis.present)("Redis", () => {
  onKind(redis)("has no tables, and nothing to migrate", ({ at }) =>
    Effect.gen(function*() {
      expect((yield* cli(["migrate", "status", ...at])).out).toContain("nothing to migrate")
      expect(jsonOf(yield* cli(["migrate", "up", ...at, "--json"]))).toMatchObject({ state: "unmanaged", taken: [] })
    }))
})
