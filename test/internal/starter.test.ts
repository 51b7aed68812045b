import { describe, expect, it } from "@effect/vitest"
import * as Starter from "../../src/internal/starter.js"

describe("starter", () => {
  it("runs nothing in the call, and everything in order before anything that waits", async () => {
    const { later } = Starter.make()
    const begun: Array<string> = []
    later(() => begun.push("first"))
    later(() => {
      begun.push("second")
      later(() => begun.push("of the second"))
    })
    later(() => begun.push("third"))
    expect(begun).toEqual([])
    await Promise.resolve()
    expect(begun).toEqual(["first", "second", "third"])
    await Promise.resolve()
    expect(begun).toEqual(["first", "second", "third", "of the second"])
  })

  it("one that throws keeps no other from its start, and is told as an unhandled rejection", async () => {
    const { later } = Starter.make()
    const begun: Array<string> = []
    const told = new Promise((resolve) => {
      // The test runner has listeners of its own, for which this would be a failure.
      const others = process.rawListeners("unhandledRejection")
      process.removeAllListeners("unhandledRejection")
      process.once("unhandledRejection", (reason) => {
        // safe: they were listeners of this very event
        for (const other of others) process.on("unhandledRejection", other as NodeJS.UnhandledRejectionListener)
        resolve(reason)
      })
    })
    later(() => begun.push("first"))
    later(() => {
      throw new Error("no start")
    })
    later(() => begun.push("third"))
    expect(await told).toEqual(new Error("no start"))
    expect(begun).toEqual(["first", "third"])
  })
})
