import { readFileSync } from "node:fs"
import { TaskStatus } from "effect-taskflow"
import { describe, expect, it } from "vitest"
import { diagram, files, withTable } from "../scripts/lifecycle.js"

// `npm run docs:lifecycle` writes both.
describe("docs/lifecycle", () => {
  it("has the moves of src/TaskStatus.ts in its table", () => {
    const page = readFileSync(files.page, "utf8")
    expect(page).toBe(withTable(page))
    expect(page).toContain("| `running` | Requeued | `pending` |")
  })

  it("has them in its picture", () => {
    const picture = readFileSync(files.picture, "utf8")
    expect(picture).toBe(diagram())
    for (const word of [...TaskStatus.all, ...Object.keys(TaskStatus.transitions)]) expect(picture).toContain(word)
  })

  it("shows the picture, and says what each status is", () => {
    const page = readFileSync(files.page, "utf8")
    expect(page).toContain("](lifecycle.svg)")
    expect(TaskStatus.all.filter((status) => !page.includes(`\n| \`${status}\` | `))).toEqual([])
  })
})
