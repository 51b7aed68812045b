/**
 * The documentation site: the pages of docs/ where they lie, and what docs/site/generate.mjs has made into docs/site/generated.
 */
import { readFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"
import { type DefaultTheme, defineConfig } from "vitepress"
import { apiSidebar } from "../apiSidebar"
import { slugOf, targetOf } from "../links"
import { groupsOf } from "../sidebar"

const site = fileURLToPath(new URL("..", import.meta.url))
const root = path.resolve(site, "../..")
const generated = path.join(site, "generated")

const pageOf = (link: string): string => `/${link.replace(/\.md(?=#|$)/, "")}`

const groups = groupsOf(readFileSync(path.join(root, "docs/index.md"), "utf8"))

const sidebar: Array<DefaultTheme.SidebarItem> = groups.map(({ items, text }) => ({
  text,
  collapsed: text === "Examples",
  items: items.map(({ link, text }) => ({ text, link: pageOf(targetOf(link, "docs/index.md") ?? link) }))
}))

// What reads the library and is no page of docs/ stands beside what does.
const withGenerated = sidebar.map((group): DefaultTheme.SidebarItem =>
  group.text === "Reference"
    ? { ...group, items: [{ text: "API reference", link: "/api/" }, ...group.items ?? []] }
    : group.text === "Under the hood"
    ? {
      ...group,
      items: [...group.items ?? [], { text: "Contributing", link: "/contributing" }, {
        text: "Security",
        link: "/security"
      }]
    }
    : group
)

const base = process.env["DOCS_BASE"] ?? "/"

export default defineConfig({
  title: "effect-taskflow",
  description: "Durable background tasks inside the application that already runs your Effects.",
  lang: "en",
  base,
  srcDir: "..",
  srcExclude: ["site/*.md", "site/node_modules/**", "site/dist/**", "site/.cache/**"],
  outDir: "./dist",
  cacheDir: "./.cache",
  ignoreDeadLinks: false,
  // The plain index is for those who read the files; here it is a page beside the home page.
  rewrites: (page) => page === "index.md" ? "contents.md" : page.replace(/^site\/generated\//, ""),
  head: [
    ["link", { rel: "icon", type: "image/svg+xml", href: `${base}icon.svg` }],
    ["meta", { name: "theme-color", content: "#0b7268" }]
  ],
  markdown: {
    theme: { light: "github-light-high-contrast", dark: "github-dark" },
    anchor: { slugify: slugOf },
    toc: { slugify: slugOf },
    // Braces at the end of a line or a cell are text here.
    attrs: { disable: true },
    config: (md) => {
      md.core.ruler.push("links-into-the-repository", ({ env, tokens }) => {
        for (const token of tokens.flatMap(({ children }) => children ?? [])) {
          const href = token.type === "link_open" ? token.attrGet("href") : null
          if (href === null) continue
          const source = (env.frontmatter as { readonly source?: string }).source ??
            `docs/${env.relativePath as string}`
          const target = source.startsWith("docs/api/")
            ? null
            : targetOf(href, source === "docs/contents.md" ? "docs/index.md" : source)
          if (target !== null) token.attrSet("href", pageOf(target))
        }
      })
    }
  },
  themeConfig: {
    logo: "/icon.svg",
    nav: [
      { text: "Guide", link: "/guide/getting-started", activeMatch: "^/(guide|backends)/" },
      { text: "API", link: "/api/", activeMatch: "^/api/" },
      { text: "Examples", link: "/examples/01-first-task", activeMatch: "^/examples/" },
      { text: "Changelog", link: "/changelog" }
    ],
    sidebar: { "/api/": apiSidebar(path.join(generated, "api")), "/": withGenerated },
    outline: { level: [2, 3] },
    search: { provider: "local", options: { detailedView: true } },
    docFooter: { prev: "Before", next: "Next" }
  },
  vite: {
    publicDir: path.join(generated, "public"),
    plugins: [{
      // The pages lie outside this package, and their code is Vue: it is found from here.
      name: "vue-of-the-site",
      enforce: "pre",
      resolveId(id, importer, options) {
        if (!/^vue(\/|$)/.test(id)) return null
        if (options.ssr === true) return { id, external: true }
        return importer === undefined || importer.startsWith(site)
          ? null
          : this.resolve(id, path.join(site, "package.json"), { ...options, skipSelf: true })
      }
    }],
    server: { host: "127.0.0.1", fs: { allow: [root] } },
    build: { chunkSizeWarningLimit: 4_000 }
  }
})
