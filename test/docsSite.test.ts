/** The sidebar of the documentation site, and what the site is built with. `npm run docs` checks what was built. */
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "vitest"
import { groupsOf } from "../docs/site/sidebar.js"

const root = path.resolve(import.meta.dirname, "..")
const read = (file: string): string => fs.readFileSync(path.join(root, file), "utf8")

const pages = fs.readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" })
  .map((name) => name.split(path.sep).join("/"))
  .filter((file) => file.endsWith(".md") && !file.startsWith("site/"))

describe("the sidebar", () => {
  const groups = groupsOf(read("docs/index.md"))
  const links = groups.flatMap(({ items }) => items.map(({ link }) => link.split("#")[0]!))

  it("has every page of docs/, and nothing that is not there", () => {
    expect(pages.length).toBeGreaterThan(30)
    expect(pages.filter((page) => page !== "index.md" && !links.includes(page))).toEqual([])
    expect(links.filter((link) => !fs.existsSync(path.join(root, "docs", link)))).toEqual([])
  })

  it("has every numbered example", () => {
    const examples = fs.readdirSync(path.join(root, "examples")).filter((file) => /^\d+-[\w-]+\.ts$/.test(file))
    expect(examples.length).toBeGreaterThan(20)
    expect(examples.filter((file) => !links.includes(`../examples/${file}`))).toEqual([])
  })

  it("has no empty group and no page twice", () => {
    expect(groups.filter(({ items }) => items.length === 0)).toEqual([])
    const own = groups.flatMap(({ items }) => items.map(({ link }) => link))
    expect(own.filter((link, index) => own.indexOf(link) !== index)).toEqual([])
  })

  it("takes the first link of a point, and every link of a text", () => {
    expect(
      groupsOf("# x\n\n[no](no.md)\n\n## One\n\n- [`A`](a.md): see [B](b.md)\n\n## Two\n\n[c](c.md), [d](d.md#e).\n")
    )
      .toEqual([
        { text: "One", items: [{ text: "A", link: "a.md" }] },
        { text: "Two", items: [{ text: "C", link: "c.md" }, { text: "D", link: "d.md#e" }] }
      ])
  })
})

describe("what the site is built with", () => {
  it("is pinned, and its lock file names no registry", () => {
    const { dependencies } = JSON.parse(read("docs/site/package.json")) as {
      readonly dependencies: Readonly<Record<string, string>>
    }
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
    expect(read("docs/site/package-lock.json")).not.toContain("\"resolved\"")
  })

  it("is not installed with the library", () => {
    expect(read("package-lock.json")).not.toMatch(/node_modules\/(vitepress|typedoc|vue)"/)
  })
})
