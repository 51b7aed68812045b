/** Where links of the pages lead on the site. In the repository they lead to files. */
import path from "node:path"

/** Files outside docs/ that have a page here, which docs/site/generate.mjs makes. */
const pageOfFile = (file: string): string | null => {
  const example = /^examples\/(\d+-[\w-]+)\.ts$/.exec(file)
  if (example !== null) return `examples/${example[1]}.md`
  if (file === "examples/README.md" || file.startsWith("examples/orders/")) return "examples/orders.md"
  if (file === "CONTRIBUTING.md") return "contributing.md"
  if (file === "SECURITY.md") return "security.md"
  return null
}

/**
 * The page that a relative link of `source` leads to when it leaves docs/ or leads to its index, without a slash before it; null for
 * links that are good as they are. Both are paths from the root of the repository. Throws for what has no page.
 */
export const targetOf = (href: string, source: string): string | null => {
  if (/^([a-z]+:|[#/])/.test(href)) return null
  const [relative = "", anchor] = href.split("#")
  const file = path.posix.join(path.posix.dirname(source), relative)
  const behind = anchor === undefined ? "" : `#${anchor}`
  if (file === "docs/index.md") return `contents.md${behind}`
  if (file.startsWith("docs/")) return source.startsWith("docs/") ? null : `${file.slice("docs/".length)}${behind}`
  const page = pageOfFile(file)
  if (page === null) {
    throw new Error(
      `${source} links to ${file}, which has no page on the site: name it in a code span, or see docs/site/links.ts`
    )
  }
  return `${page}${behind}`
}

/** Anchors as code hosts make them, so that a link is good in the file and on the site. */
export const slugOf = (heading: string): string =>
  heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-")
