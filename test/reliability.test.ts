/**
 * docs/reliability.md says which test holds which promise. Here: every word of every line of docs/contract.md has a row, and
 * every test that a row names is there.
 *
 * A row is `| words of the contract | tests |`. The tests are parts with <br> between them: a file in backticks, then titles
 * of it, each behind ›, as they stand in its source. A part that begins with "Not shown" says what no test shows.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import ts from "typescript"
import { describe, expect, it } from "vitest"

const root = path.resolve(import.meta.dirname, "..")
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8")

const page = read("docs/reliability.md")
const contract = read("docs/contract.md")

interface Row {
  readonly promise: string
  readonly parts: ReadonlyArray<string>
}

/** The text below each heading of this depth. */
const sectionsOf = (text: string, depth: string): ReadonlyMap<string, string> =>
  new Map(
    text.split(new RegExp(`^${depth} `, "m")).slice(1).map((section) => {
      const end = section.indexOf("\n")
      return [section.slice(0, end), section.slice(end)]
    })
  )

// Other tables of the page are of other things.
const rowsOf = (text: string): ReadonlyArray<Row> =>
  [...text.matchAll(/^\| promise \| held by \|\n\|---\|---\|\n((?:\|.*\n)+)/gm)].flatMap(([, table]) =>
    [...table!.matchAll(/^\| (.+?) (?<!\\)\| (.+) \|$/gm)].map(([, promise, held]) => ({
      promise: promise!.replaceAll("\\|", "|"),
      parts: held!.split("<br>")
    }))
  )

const titlesIn = new Map<string, ReadonlySet<string>>()

const titlesOf = (file: string): ReadonlySet<string> => {
  const known = titlesIn.get(file)
  if (known !== undefined) return known
  const found = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && /^(it|test|describe)\b/.test(node.expression.getText())) {
      const [title] = node.arguments
      if (title !== undefined && (ts.isStringLiteralLike(title) || ts.isTemplateExpression(title))) {
        found.add(title.getText().slice(1, -1))
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true))
  titlesIn.set(file, found)
  return found
}

const words = (text: string): string => text.replace(/[\s`*>]+/g, " ").trim()

/** What is left of the line when the rows' words are taken out of it. */
const uncovered = (line: string, rows: ReadonlyArray<Row>) => {
  let left = words(line)
  const strange: Array<string> = []
  for (const { promise } of rows) {
    if (!left.includes(words(promise))) strange.push(promise)
    left = left.replace(words(promise), " … ")
  }
  return { left: left.replace(/[…\s.,:;()⇒]+/g, " ").trim(), strange }
}

describe("docs/reliability.md", () => {
  const sections = sectionsOf(page, "##")

  it("has a row for every word of the contract", () => {
    const lines = [...sectionsOf(contract, "##")].filter(([heading]) => /^\d+\. /.test(heading))
    expect(lines.length).toBeGreaterThan(10)
    for (const [heading, text] of lines) {
      const line = [...text.matchAll(/^> (.*)$/gm)].map(([, words]) => words).join(" ")
      expect({ heading, ...uncovered(line, rowsOf(sections.get(heading) ?? "")) }).toEqual({
        heading,
        left: "",
        strange: []
      })
    }
  })

  it("has a row for everything that the contract names beside its lines", () => {
    const named = [...sectionsOf(contract, "##").get("Beside these")!.matchAll(/^- \*\*(.+?)\*\*/gm)].map(([, name]) =>
      name
    )
    expect(named.length).toBeGreaterThan(5)
    expect(rowsOf(sections.get("Beside these") ?? "").map(({ promise }) => promise)).toEqual(named)
  })

  it("names tests that are there, at least one in each row or why there is none", () => {
    const wrong: Array<string> = []
    let named = 0
    for (const { parts, promise } of rowsOf(page)) {
      let file: string | undefined
      let titles: ReadonlySet<string> = new Set()
      let says = 0
      for (const part of parts) {
        const path = /^`(.+)`$/.exec(part)?.[1]
        if (path !== undefined) {
          file = path
          if (fs.existsSync(`${root}/${path}`)) titles = titlesOf(path)
          else wrong.push(`${promise}: no file ${path}`)
        } else if (part.startsWith("› ")) {
          says += 1
          if (!titles.has(part.slice(2))) wrong.push(`${promise}: ${file} has no test ${part.slice(2)}`)
        } else if (part.startsWith("Not shown")) says += 1
        else wrong.push(`${promise}: ${part} is neither a file nor a title`)
      }
      if (says === 0) wrong.push(`${promise}: no test, and no reason`)
      named += says
    }
    expect(wrong).toEqual([])
    expect(named).toBeGreaterThan(100)
  })
})
