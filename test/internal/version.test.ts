import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { version } from "../../src/internal/version.js"

it("the version that instances tell is the package's", () => {
  const { version: packaged } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
  expect(version).toBe(packaged)
})
