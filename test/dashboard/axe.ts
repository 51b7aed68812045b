/** axe-core in a page. It is evaluated through the browser's own tools, which no policy of the page concerns. */
import * as fs from "node:fs"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"

const source = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]

interface Violation {
  readonly id: string
  readonly help: string
  readonly nodes: ReadonlyArray<{ readonly target: ReadonlyArray<string>; readonly failureSummary: string }>
}

export const violations = async (page: Page, rules?: ReadonlyArray<string>): Promise<ReadonlyArray<string>> => {
  if (await page.evaluate(() => !("axe" in globalThis))) await page.evaluate(`${source};void 0`)
  const found: ReadonlyArray<Violation> = await page.evaluate(
    async (runOnly) => {
      // safe: evaluated just before
      const { axe } = globalThis as unknown as { readonly axe: { run: (on: unknown, how: unknown) => Promise<any> } }
      // It would load style sheets again, for a rule that is not among these: a server that is gone makes a complaint of it.
      // What passes is not described: that takes as long as finding it out.
      return (await axe.run(document, { runOnly, preload: false, resultTypes: ["violations"] })).violations
    },
    rules === undefined ? { type: "tag", values: tags } : { type: "rule", values: [...rules] }
  )
  return found.flatMap(({ help, id, nodes }) =>
    nodes.map(({ failureSummary, target }) =>
      `${id}: ${help} at ${target.join(" ")} (${failureSummary.split("\n")[1]?.trim()})`
    )
  )
}
