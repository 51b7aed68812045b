/** What the error of a database that was not reached says of the place, and what it keeps to itself. */
import { describe, expect, it } from "@effect/vitest"
import { Redacted } from "effect"
import { connectFailed } from "../../src/backend/sql/advice.js"

const said = (url: string): string => {
  const { cause } = connectFailed("MySQL", { url: Redacted.make(url) })(new Error("refused"))
  return cause instanceof Error ? cause.message : ""
}

describe("a url in the error of a connection", () => {
  it("is told without its password", () => {
    expect(said("mysql://ada:se%2Fcret@db:3306/tasks")).toBe(
      "MySQL at db:3306, database \"tasks\", user \"ada\": refused: see that it is up, and that user, password and database are right"
    )
  })

  for (const password of ["12/secret", "/secret", "12?secret", "12#secret", "se@ret/secret"]) {
    it(`is not told at all with the password ${password} that was not encoded`, () => {
      expect(said(`mysql://ada:${password}@db:3306/tasks`)).toBe(
        "MySQL: the url cannot be read: mysql://user:password@host:port/database is expected"
      )
    })
  }
})
