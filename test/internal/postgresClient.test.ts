import { describe, expect, it } from "@effect/vitest"
import { withDefaults } from "../../src/backend/sql/postgresClient.js"

describe("what a client for PostgreSQL is made with", () => {
  it("has a limit for connecting when none is given, also when it is given as undefined", () => {
    const usual = { connectTimeout: 15_000, applicationName: "effect-taskflow" }
    expect(withDefaults({})).toEqual(usual)
    expect(withDefaults({ connectTimeout: undefined, applicationName: undefined })).toEqual(usual)
  })

  it("is what is given", () => {
    expect(withDefaults({ connectTimeout: "1 second", applicationName: "shop", host: "db" })).toEqual({
      connectTimeout: "1 second",
      applicationName: "shop",
      host: "db"
    })
  })
})
