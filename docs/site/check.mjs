/**
 * Looks at the site that was built: nothing is loaded from anywhere else, every link leads to a page and to a place in it, every
 * page of docs/ is there. Says what is wrong and fails.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"

const site = path.dirname(fileURLToPath(import.meta.url))
const dist = path.join(site, "dist")
const base = process.env.DOCS_BASE ?? "/"
const problems = []

const listing = (folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => file.split(path.sep).join("/"))
const files = listing(dist).filter((file) => statSync(path.join(dist, file)).isFile())
const read = (file) => readFileSync(path.join(dist, file), "utf8")

// ── nothing from outside ─────────────────────────────────────────────────────────────────────────────────────────────

const outside = String.raw`["'\`]?\s*(?:https?:)?//[\w.-]+`
/** What makes a browser load something: not the anchors, which a reader has to follow. */
const loads = {
  ".html": [
    new RegExp(
      String
        .raw`<(?:link|script|img|source|iframe|video|audio|object|embed|use|image|base|form)\b[^>]*?\s(?:src|srcset|href|xlink:href|data|poster|action)=${outside}`,
      "gi"
    ),
    new RegExp(String.raw`style="[^"]*url\(${outside}`, "gi")
  ],
  ".css": [new RegExp(String.raw`url\(${outside}`, "gi"), new RegExp(String.raw`@import\s+${outside}`, "gi")],
  ".svg": [
    new RegExp(String.raw`\s(?:xlink:href|href|src)=${outside}`, "gi"),
    new RegExp(String.raw`url\(${outside}`, "gi")
  ],
  ".js": [
    new RegExp(
      String.raw`\b(?:import|fetch|importScripts|open|Worker|EventSource|WebSocket|sendBeacon)\s*\(${outside}`,
      "g"
    ),
    new RegExp(String.raw`\bfrom\s*["'](?:https?:)?//`, "g"),
    new RegExp(String.raw`\.(?:src|href)\s*=\s*${outside}`, "g")
  ]
}

for (const file of files) {
  for (const pattern of loads[path.extname(file)] ?? []) {
    for (const [text] of read(file).matchAll(pattern)) {
      problems.push(`${file} loads from outside: ${text.slice(0, 160)}`)
    }
  }
}

// ── links ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const pages = new Map(
  files.filter((file) => file.endsWith(".html")).map((file) => {
    const html = read(file)
    return [file, {
      ids: new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)),
      links: new Set([...html.matchAll(/<a\b[^>]*?\shref="([^"]+)"/g)].map(([, href]) => href.replaceAll("&amp;", "&")))
    }]
  })
)

let links = 0
for (const [file, { links: hrefs }] of pages) {
  for (const href of hrefs) {
    if (/^[a-z]+:/.test(href)) continue
    links += 1
    const [to, anchor] = href.split("#")
    const target = to === ""
      ? file
      : to.startsWith(base)
      ? to.slice(base.length)
      : path.posix.join(path.posix.dirname(file), to)
    const found = [target, `${target}.html`, path.posix.join(target, "index.html")].find((name) =>
      existsSync(path.join(dist, name)) && statSync(path.join(dist, name)).isFile()
    )
    if (found === undefined) problems.push(`${file} links to ${href}, which is not there`)
    else if (
      anchor !== undefined && anchor !== "" && !(pages.get(found)?.ids.has(decodeURIComponent(anchor)) ?? false)
    ) {
      problems.push(`${file} links to ${href}: ${found} has no such anchor`)
    }
  }
}

// ── pages ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const docs = path.join(site, "..")
const written = listing(docs).filter((file) => file.endsWith(".md") && !file.startsWith("site/"))
for (const page of written) {
  const html = page === "index.md" ? "contents.html" : page.replace(/\.md$/, ".html")
  if (!pages.has(html)) problems.push(`docs/${page} is not on the site`)
}
if (pages.size < written.length || links === 0) {
  problems.push(`the check saw ${pages.size} pages and ${links} links: it is broken`)
}

if (problems.length > 0) {
  console.error([...new Set(problems)].slice(0, 50).join("\n"))
  console.error(`${problems.length} problems in docs/site/dist`)
  process.exit(1)
}
const size = files.reduce((sum, file) => sum + statSync(path.join(dist, file)).size, 0)
console.log(
  `docs/site/dist: ${pages.size} pages, ${links} links, nothing from outside, ${(size / 1_048_576).toFixed(1)} MiB`
)
