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

const pkg = JSON.parse(readFileSync("package.json", "utf8"))
for (const name of needed) pkg.dependencies[name] = pkg.devDependencies[name]
delete pkg.devDependencies
delete pkg.peerDependencies
delete pkg.peerDependenciesMeta
writeFileSync("package.json", `${JSON.stringify(pkg, null, 2)}\n`)
