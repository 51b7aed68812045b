// Compiles src and test/bench into test/bench/dist, where "effect-taskflow" means the sources compiled beside it.
// Its own copy, so that a benchmark never runs a stale dist/ and never replaces one that something else uses.
import { execFileSync } from "node:child_process"
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc")

rmSync(here("dist"), { recursive: true, force: true })
execFileSync(process.execPath, [tsc, "-p", here("tsconfig.json")], { stdio: "inherit" })

const { exports, name, type } = JSON.parse(readFileSync(here("../../package.json"), "utf8"))
const compiled = Object.entries(exports).flatMap(([subpath, target]) =>
  target?.["@effect-taskflow/source"] === undefined
    ? []
    : [[subpath, target["@effect-taskflow/source"].replace(/\.ts$/, ".js")]]
)
writeFileSync(here("dist/package.json"), JSON.stringify({ name, type, exports: Object.fromEntries(compiled) }))
// The dashboard that was built, where the server compiled here looks for it.
symlinkSync(here("../../dist"), here("dist/dist"), "dir")
