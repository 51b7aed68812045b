/** Which packages the command line and each kind of database need, and the words for those that are not installed. Loads nothing. */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"

const needed = {
  "command line": [
    "@effect/cli",
    "@effect/platform",
    "@effect/platform-node",
    "@effect/printer",
    "@effect/printer-ansi"
  ],
  SQLite: ["@effect/experimental", "@effect/sql", "@effect/sql-sqlite-node"],
  PostgreSQL: ["@effect/experimental", "@effect/sql", "@effect/sql-pg"],
  MySQL: ["@effect/experimental", "@effect/sql", "@effect/sql-mysql2"],
  Redis: ["ioredis"]
} as const

/** What packages are needed for. */
export type Need = keyof typeof needed

const require = createRequire(import.meta.url)

const isInstalled = (name: string): boolean => {
  try {
    require.resolve(`${name}/package.json`)
    return true
  } catch {
    return false
  }
}

/** Of our own package, which stands one above `dist` and `src`. */
const rangesOf = (): Readonly<Record<string, string>> => {
  try {
    // safe: as npm published it
    return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).peerDependencies ?? {}
  } catch {
    return {}
  }
}

/** One line that says what is missing and which command installs it; null when everything is there. */
export const lacking = (need: Need, installed: (name: string) => boolean = isInstalled): string | null => {
  const missing = needed[need].filter((name) => !installed(name))
  if (missing.length === 0) return null
  const ranges = rangesOf()
  const names = missing.map((name) => ranges[name] === undefined ? name : `${name}@${ranges[name]}`)
  return `effect-taskflow: ${
    need === "command line" ? "the command line" : need
  } needs packages that are not installed: ` +
    `npm install ${names.map((name) => `"${name}"`).join(" ")}`
}

/** The same of an import that failed; null when it failed for another reason. */
export const absent = (error: unknown): string | null => {
  const isAbsent = error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND"
  const name = isAbsent ? /Cannot find package '([^']+)'/.exec(error.message)?.[1] : undefined
  return name === undefined
    ? null
    : `effect-taskflow: the command line needs a package that is not installed: npm install "${name}"`
}
