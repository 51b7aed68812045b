/**
 * The lifecycle as a table and as a picture, made from `transitions` in src/TaskStatus.ts: `npm run docs:lifecycle` writes the
 * table into docs/lifecycle.md, and docs/lifecycle.svg. A test compares.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { TaskStatus } from "effect-taskflow"

type Status = TaskStatus.TaskStatus

/** Where a move begins: `null` is before there was a task. */
interface Move {
  readonly from: Status | null
  readonly event: string
  readonly to: Status
}

const moves: ReadonlyArray<Move> = [
  { from: null, event: "Enqueued", to: "pending" },
  ...Object.entries(TaskStatus.transitions).flatMap(([event, leads]) =>
    TaskStatus.all.flatMap((from): ReadonlyArray<Move> => {
      const to = leads[from]
      return to === undefined ? [] : [{ from, event, to }]
    })
  )
]

// ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────

const table = [
  "| from | event | to |",
  "|---|---|---|",
  ...moves.map(({ event, from, to }) => `| ${from === null ? "–" : `\`${from}\``} | ${event} | \`${to}\` |`)
].join("\n")

const between = /(<!-- transitions -->\n)[^]*?(\n<!-- \/transitions -->)/

/** The page with the table as it is now. */
export const withTable = (page: string): string => {
  if (!between.test(page)) throw new Error("no <!-- transitions --> … <!-- /transitions --> to put the table between")
  return page.replace(between, (_, before: string, after: string) => `${before}${table}${after}`)
}

// ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────

interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
}

const height = 48

const boxes: Readonly<Record<Status, Box>> = {
  pending: { x: 112, y: 186, width: 130 },
  running: { x: 356, y: 186, width: 150 },
  success: { x: 668, y: 34, width: 150 },
  failed: { x: 668, y: 134, width: 150 },
  interrupted: { x: 668, y: 234, width: 150 },
  cancelled: { x: 668, y: 334, width: 150 }
}

/** How the line of a move goes, and where the names of its events stand. */
interface Line {
  readonly path: string
  readonly label: { readonly x: number; readonly y: number; readonly anchor: "start" | "middle" | "end" }
}

const lines: Readonly<Record<string, Line>> = {
  "→pending": { path: "M32 210H106", label: { x: 66, y: 200, anchor: "middle" } },
  "pending→running": { path: "M242 202H350", label: { x: 296, y: 193, anchor: "middle" } },
  "running→pending": { path: "M356 220H248", label: { x: 302, y: 240, anchor: "middle" } },
  "running→running": { path: "M396 186C386 118 476 118 467 180", label: { x: 431, y: 122, anchor: "middle" } },
  "running→success": { path: "M506 198C590 198 570 58 662 58", label: { x: 656, y: 50, anchor: "end" } },
  "running→failed": { path: "M506 206C590 206 580 158 662 158", label: { x: 656, y: 150, anchor: "end" } },
  "running→interrupted": { path: "M506 214C590 214 580 258 662 258", label: { x: 656, y: 276, anchor: "end" } },
  "running→cancelled": { path: "M506 222C590 222 570 350 662 350", label: { x: 562, y: 318, anchor: "end" } },
  "pending→cancelled": { path: "M177 234C177 330 260 368 400 368H662", label: { x: 420, y: 360, anchor: "middle" } }
}

const grouped = (): ReadonlyMap<string, ReadonlyArray<string>> => {
  const groups = new Map<string, Array<string>>()
  for (const { event, from, to } of moves) {
    const key = `${from ?? ""}→${to}`
    groups.set(key, [...groups.get(key) ?? [], event])
  }
  return groups
}

// Two names a line, the last line where the label stands.
const labelOf = (events: ReadonlyArray<string>, { anchor, x, y }: Line["label"]): string => {
  const rows = events.flatMap((_, index) => index % 2 === 0 ? [events.slice(index, index + 2).join(" · ")] : [])
  return rows.map((row, index) =>
    `<text class="event" x="${x}" y="${y - 17 * (rows.length - 1 - index)}" text-anchor="${anchor}">${row}</text>`
  ).join("\n  ")
}

const boxOf = (status: Status): string => {
  const { width, x, y } = boxes[status]
  const inner = TaskStatus.isTerminal(status)
    ? `<rect class="inner" x="${x + 4}" y="${y + 4}" width="${width - 8}" height="${height - 8}" rx="6"/>`
    : ""
  return `<g class="${status}"><rect x="${x}" y="${y}" width="${width}" height="${height}" rx="9"/>${inner}` +
    `<text x="${x + width / 2}" y="${y + 29}" text-anchor="middle">${status}</text></g>`
}

const spoken = moves.map(({ event, from, to }) => `${event}: ${from ?? "nothing"} to ${to}`).join("; ")

const style = `
    text { font: 15px ui-sans-serif, system-ui, sans-serif; fill: #15181d }
    .event { font-size: 13px; fill: #434954 }
    .line { stroke: #5f6672; stroke-width: 1.6; fill: none; marker-end: url(#arrow) }
    .head, .dot { fill: #5f6672 }
    rect { stroke-width: 1.6 }
    .inner { fill: none; stroke-width: 1 }
    .pending rect { fill: #f4f0fc; stroke: #6a42b8 } .running rect { fill: #eef4fd; stroke: #1d5bc4 }
    .success rect { fill: #e6f2ed; stroke: #17734a } .failed rect { fill: #fdf1ef; stroke: #bb2418 }
    .interrupted rect { fill: #fdf6e7; stroke: #8a5200 } .cancelled rect { fill: #f3f4f6; stroke: #5f6672 }
    g .inner { fill: none }
    @media (prefers-color-scheme: dark) {
      text { fill: #e8eaed } .event { fill: #b6bcc6 } .line { stroke: #959da9 } .head, .dot { fill: #959da9 }
      .pending rect { fill: #231c36; stroke: #bda2f7 } .running rect { fill: #152238; stroke: #86b4ff }
      .success rect { fill: #14291f; stroke: #5cc493 } .failed rect { fill: #2a1716; stroke: #ff8f84 }
      .interrupted rect { fill: #2a2113; stroke: #e6b455 } .cancelled rect { fill: #191d22; stroke: #959da9 }
    }`

/** The picture, for light and dark pages. */
export const diagram = (): string => {
  const drawn = [...grouped()].map(([key, events]) => {
    const line = lines[key]
    if (line === undefined) throw new Error(`scripts/lifecycle.ts does not know how to draw ${key}: give it a line`)
    return `  <path class="line" d="${line.path}"/>\n  ${labelOf(events, line.label)}`
  })
  const gone = Object.keys(lines).filter((key) => !grouped().has(key))
  if (gone.length > 0) throw new Error(`scripts/lifecycle.ts draws ${gone.join(", ")}, which is no move any more`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 410" role="img" aria-labelledby="title desc">
  <title id="title">The statuses of a task and the moves between them</title>
  <desc id="desc">${spoken}.</desc>
  <style>${style}
  </style>
  <defs><marker id="arrow" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
    <path class="head" d="M0 0L10 5L0 10z"/></marker></defs>
  <circle class="dot" cx="26" cy="210" r="7"/>
${drawn.join("\n")}
${TaskStatus.all.map((status) => `  ${boxOf(status)}`).join("\n")}
  <text class="event" x="20" y="398">Two frames: final. Nothing leaves it.</text>
</svg>
`
}

export const files = {
  page: fileURLToPath(new URL("../docs/lifecycle.md", import.meta.url)),
  picture: fileURLToPath(new URL("../docs/lifecycle.svg", import.meta.url))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(files.page, withTable(readFileSync(files.page, "utf8")))
  writeFileSync(files.picture, diagram())
}
