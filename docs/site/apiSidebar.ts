/** The sidebar of the API reference: the folders that docs/site/generate.mjs made, one group for each subpath of the package. */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import type { DefaultTheme } from "vitepress"

const titleOf = (file: string): string => /^title: "?(.*?)"?$/m.exec(readFileSync(file, "utf8"))?.[1] ?? file

/** In the order of the barrels, which is the order of reading. */
const order = ["index", "http", "observers", "sqlite", "postgres", "mysql", "redis", "sql", "testing"]

export const apiSidebar = (folder: string): Array<DefaultTheme.SidebarItem> =>
  !existsSync(folder) ? [] : [
    { text: "API reference", link: "/api/" },
    ...order.map((subpath) => ({
      text: titleOf(path.join(folder, subpath, "index.md")),
      link: `/api/${subpath}/`,
      collapsed: subpath !== "index" && subpath !== "http",
      items: readdirSync(path.join(folder, subpath))
        .filter((file) => file !== "index.md")
        .map((file) => ({
          text: titleOf(path.join(folder, subpath, file)),
          link: `/api/${subpath}/${file.replace(/\.md$/, "")}`
        }))
    }))
  ]
