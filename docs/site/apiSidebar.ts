/** The sidebar of the API reference: the folders that docs/site/generate.mjs made, one group for each subpath of the package. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import type { DefaultTheme } from "vitepress"

const titleOf = (file: string): string => /^# (.*)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? file

/** In the order of the barrels, which is the order of reading. */
const order = ["effect-taskflow", "http", "observers", "sqlite", "postgres", "mysql", "redis", "sql", "testing"]

/** What a subpath exports beside namespaces: its classes and functions, which share the page of the subpath. */
const ownOf = (file: string): ReadonlyArray<string> =>
  readFileSync(file, "utf8").split(/^## /m)
    .filter((section) => /^(Classes|Functions)\n/.test(section))
    .flatMap((section) => [...section.matchAll(/^### (\w+)/gm)].map(([, name]) => name ?? ""))

const subpathOf = (folder: string, subpath: string): DefaultTheme.SidebarItem => {
  const index = path.join(folder, subpath, "index.md")
  const own = ownOf(index).map((name) => ({ text: name, link: `/api/${subpath}/#${name.toLowerCase()}` }))
  const namespaces = readdirSync(path.join(folder, subpath)).filter((file) => file !== "index.md").map((file) => ({
    text: file.replace(/\.md$/, ""),
    link: `/api/${subpath}/${file.replace(/\.md$/, "")}`
  }))
  return {
    text: titleOf(index),
    link: `/api/${subpath}/`,
    collapsed: subpath !== "effect-taskflow" && subpath !== "http",
    items: [...own, ...namespaces].sort((a, b) => a.text < b.text ? -1 : 1)
  }
}

export const apiSidebar = (folder: string): Array<DefaultTheme.SidebarItem> =>
  !existsSync(folder)
    ? []
    : [{ text: "API reference", link: "/api/" }, ...order.map((subpath) => subpathOf(folder, subpath))]
