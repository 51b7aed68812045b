import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { render } from "../../scripts/httpReference.js"

describe("docs/reference/http.md", () => {
  it("is what the API is: after a change run `npm run docs:http`", () => {
    expect(readFileSync(new URL("../../docs/reference/http.md", import.meta.url), "utf8")).toBe(render())
  })
})
