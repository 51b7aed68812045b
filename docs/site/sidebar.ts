/**
 * What stands beside the pages: docs/index.md is the one list of them, in the order of the tasks, and this reads it. So a page
 * that the index has is in the sidebar, under the same heading and the same name.
 */

export interface Item {
  readonly text: string
  /** As the index writes it: relative to docs/, with the file's ending and perhaps an anchor. */
  readonly link: string
}

export interface Group {
  readonly text: string
  readonly items: ReadonlyArray<Item>
}

const linkPattern = /\[([^\]]+)\]\(([^)\s]+)\)/g

const plain = (text: string): string => text.replaceAll("`", "")

/** The headings of the index with their links. Of a list only the first link of each point: the rest explains. */
export const groupsOf = (index: string): ReadonlyArray<Group> =>
  index.split(/^## /m).slice(1).map((section) => {
    const [heading = "", ...lines] = section.split("\n")
    const points = lines.filter((line) => /^(-|\d+\.) /.test(line))
    const links = points.length > 0
      ? points.flatMap((line) => [...line.matchAll(linkPattern)].slice(0, 1))
      : [...section.matchAll(linkPattern)]
    return {
      text: heading.trim(),
      items: links.map(([, text = "", link = ""]) => ({
        text: plain(text.charAt(0).toUpperCase() + text.slice(1)),
        link
      }))
    }
  })
