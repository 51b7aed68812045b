// Compares the public API in dist with the reports in api/, one for each subpath. Run `npm run build` first.
//
// npm run check:api    fails where they differ, and says how
// npm run api          writes them anew
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { programOf, publicSymbols, reportOf } from "./api/report.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const folder = join(root, "api")
const pkg = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))

const subpaths = Object.entries(pkg.exports).flatMap(([key, target]) =>
  target?.types === undefined ? [] : [{ title: pkg.name + key.slice(1), entry: join(root, target.types) }]
)
const missing = subpaths.filter(({ entry }) => !existsSync(entry))
if (missing.length > 0) throw new Error(`${missing[0].entry} is not there: npm run build`)

const program = programOf(subpaths.map(({ entry }) => entry))
const known = publicSymbols(program, subpaths.map(({ entry }) => entry))
const reports = new Map(subpaths.map(({ entry, title }) => [
  `${/([^/]+)\.d\.ts$/.exec(entry)[1]}.md`,
  reportOf(program, entry, title, root, known)
]))

/** Lines that only one of them has, and where the first of them is. */
const differences = (before, now) => {
  const [was, is] = [before.split("\n"), now.split("\n")]
  const [wasThere, isThere] = [new Set(was), new Set(is)]
  const gone = was.filter((line) => !isThere.has(line)).map((line) => `- ${line}`)
  const come = is.filter((line) => !wasThere.has(line)).map((line) => `+ ${line}`)
  const first = is.findIndex((line, index) => line !== was[index]) + 1
  const lines = [...gone, ...come]
  return [
    `from line ${first || is.length} on`,
    ...lines.slice(0, 40),
    ...(lines.length > 40 ? [`… ${lines.length} in all`] : [])
  ]
}

const written = existsSync(folder) ? readdirSync(folder) : []
if (process.argv.includes("--update")) {
  mkdirSync(folder, { recursive: true })
  for (const file of written) if (!reports.has(file)) rmSync(join(folder, file))
  for (const [file, text] of reports) writeFileSync(join(folder, file), text)
} else {
  const problems = written.filter((file) => !reports.has(file)).map((file) => `api/${file} is of no subpath`)
  for (const [file, text] of reports) {
    const before = written.includes(file) ? readFileSync(join(folder, file), "utf8") : ""
    if (before !== text) problems.push(`api/${file} is not what dist has, ${differences(before, text).join("\n")}`)
  }
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) {
    console.error(
      "\nThe public API differs from its reports. If that is meant: npm run build && npm run api, and a line in docs/changelog.md."
    )
    process.exitCode = 1
  } else console.log(`api: ${reports.size} reports, as dist has it`)
}
