// Writes the results of chaos runs as a table into docs/reliability.md: `npm run chaos:table -- result.json …`, each the line that a
// run ended with. What stands between the two marks is replaced.
import { readFileSync, writeFileSync } from "node:fs"

const page = new URL("../../docs/reliability.md", import.meta.url)
const [begin, end] = ["<!-- chaos: begin -->", "<!-- chaos: end -->"]

const results = process.argv.slice(2).flatMap((file) =>
  readFileSync(file, "utf8").split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line))
)
if (results.length === 0) throw new Error("node test/chaos/table.mjs result.json …: there is no result in these files")

const count = (number) => number.toLocaleString("en-US")
const millis = ({ max, median }) => `${count(median)} / ${count(max)} ms`
const row = (cells) => `| ${cells.join(" | ")} |`

const head = ["backend", "seed", "seconds", "tasks", "crashed", "enqueues refused", "faults", "violations"]
const runs = results.map((one) => [
  one.backend,
  one.seed,
  one.seconds,
  count(one.tasks),
  count(one.crashes),
  count(one.refused),
  Object.values(one.faults).reduce((sum, times) => sum + times, 0),
  one.violationCount
])

// One row for each fault, one column for each run.
const faults = [...new Set(results.flatMap(({ faults }) => Object.keys(faults)))].sort()
const times = faults.map((fault) => [
  `\`${fault}\``,
  ...results.map(({ faults, recoveryMs }) =>
    faults[fault] === undefined ? "" : `${faults[fault]} × ${recoveryMs[fault] ? millis(recoveryMs[fault]) : "–"}`
  )
])
const table = (header, rows) => [row(header), row(header.map(() => "---")), ...rows.map(row)].join("\n")

const text = [
  table(head, runs),
  "How often each fault came, and from its end to the next task whose end was told in another process, median / longest:",
  table(["fault", ...results.map(({ backend }) => backend)], times)
].join("\n\n")

const before = readFileSync(page, "utf8")
const from = before.indexOf(begin)
const to = before.indexOf(end)
if (from < 0 || to < from) throw new Error(`docs/reliability.md has no ${begin} … ${end}`)
writeFileSync(page, `${before.slice(0, from + begin.length)}\n${text}\n${before.slice(to)}`)
