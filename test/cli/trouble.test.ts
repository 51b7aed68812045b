/** What is no database, cannot be reached, or lets nobody in: one clear line, no password in it, and the code for it. */
import * as fs from "node:fs"
import { describe, expect } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import { TaskBackendError } from "effect-taskflow"
import * as Database from "../../src/cli/database.js"
import { mysql, postgres, redis } from "../support/databases.js"
import { cli, ended, kinds, sqlite, testOn } from "./support.js"

const test = testOn(sqlite)

describe("a file", () => {
  test("that is no database is left as it is", ({ at, url }) =>
    Effect.gen(function*() {
      const file = url.slice("sqlite:".length)
      fs.writeFileSync(file, "this is a letter, and no database ".repeat(100))
      for (const words of [["list"], ["doctor"], ["migrate", "status"], ["migrate", "up"], ["pause", "--all"]]) {
        const said = yield* cli([...words, ...at])
        expect(said).toMatchObject({ code: 1, out: "" })
        expect(said.note).toContain("is no SQLite database")
      }
      expect(fs.readFileSync(file, "utf8")).toContain("this is a letter")
    }))

  test("that is a folder is none", ({ at, url }) =>
    Effect.gen(function*() {
      fs.mkdirSync(url.slice("sqlite:".length))
      const said = yield* cli(["list", ...at])
      expect(said).toMatchObject({ code: 1, out: "" })
      expect(said.note).toContain("is no file")
    }))

  test("that may only be read is read, and what would write says so", (place) =>
    Effect.gen(function*() {
      const ids = yield* ended(place)
      const file = place.url.slice("sqlite:".length)
      // The version that a writer must know: with a later one SQLite only reads. Rights say nothing to root.
      const bytes = fs.readFileSync(file)
      bytes[18] = 3
      fs.writeFileSync(file, bytes)
      expect((yield* cli(["list", ...place.at])).out).toContain(ids.mail)
      expect((yield* cli(["doctor", ...place.at])).code).toBe(0)
      const said = yield* cli(["pause", "--all", ...place.at])
      expect(said).toMatchObject({ code: 1, out: "" })
      expect(said.note).toMatch(/readonly|read-only/)
    }))

  test("that somebody else holds says what to wait for", ({ url }) =>
    Effect.gen(function*() {
      const { failure } = yield* Database.find({ url: Option.some(Redacted.make(url)), prefix: Option.none() })
      const cause = new Error("database is locked")
      expect(failure(new TaskBackendError({ method: "write", cause })).message).toMatch(
        /^SQLite in .+: database is locked: a transaction of somebody else is open for seconds; try again/
      )
    }))

  test("with other tables has none of ours, under this prefix", (place) =>
    Effect.gen(function*() {
      yield* ended(place)
      const said = yield* cli(["list", "--url", place.url, "--prefix", "other_"])
      expect(said).toMatchObject({ code: 1, out: "" })
      expect(said.note).toContain("no tables under this prefix")
      expect((yield* cli(["list", "--url", place.url, "--prefix", "No Prefix"])).note).toContain(
        "the prefix \"No Prefix\""
      )
    }))
})

const closed = [
  "postgres://ada:hush@127.0.0.1:1/app",
  "mysql://ada:hush@127.0.0.1:1/app",
  "redis://ada:hush@127.0.0.1:1"
]

describe("a server", () => {
  for (const url of closed) {
    test(`that is not there: ${url.split(":")[0]}`, () =>
      Effect.gen(function*() {
        for (const words of [["list"], ["doctor"], ["resume", "--all"]]) {
          const said = yield* cli([...words, "--url", url])
          expect(said).toMatchObject({ code: 1, out: "" })
          expect(said.note).toContain("127.0.0.1:1")
          expect(said.note).not.toContain("hush")
        }
      }))
  }

  const unknown = [
    [1, `postgres://nobody:hush@${postgres.host}:${postgres.port}/${postgres.database}`],
    [2, `mysql://nobody:hush@${mysql.host}:${mysql.port}/${mysql.database}`],
    [3, `redis://nobody:hush@${redis.host}:${redis.port}`]
  ] as const
  for (const [index, url] of unknown) {
    const { name, present } = kinds[index]!
    describe.skipIf(!present)(name, () => {
      test("that knows no such user", () =>
        Effect.gen(function*() {
          const said = yield* cli(["list", "--url", url])
          expect(said).toMatchObject({ code: 1, out: "" })
          expect(said.note).not.toContain("hush")
          expect(said.note.trim().split("\n").length).toBe(1)
        }))
    })
  }
})
