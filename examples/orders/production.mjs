// Makes package.json that of an application: what the order service loads are its dependencies, and nothing is for development.
// The versions stay what they were, and with them the lock file fits. The Dockerfile runs it, on its copy.
import { readFileSync, writeFileSync } from "node:fs"

// What the service imports, and the peers of the subpaths of effect-taskflow that it imports.
const needed = [
  "@effect/experimental",
  "@effect/platform",
  "@effect/platform-node",
  "@effect/sql",
  "@effect/sql-mysql2",
  "@effect/sql-pg",
  "@effect/sql-sqlite-node",
  "effect",
  "ioredis"
]

const { dependencies, devDependencies, peerDependencies: _, peerDependenciesMeta: __, ...rest } = JSON.parse(
  readFileSync("package.json", "utf8")
)
const versions = Object.fromEntries(needed.map((name) => [name, devDependencies[name]]))
const service = { ...rest, dependencies: { ...dependencies, ...versions } }
writeFileSync("package.json", `${JSON.stringify(service, null, 2)}\n`)
