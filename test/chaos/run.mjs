// Bundles the test named first with the processes it starts, and starts it: `node run.mjs chaos …`.
// Bundled, because a process that is killed every second or three must not spend its life on loading a thousand modules.
// In a folder of this run alone, so that processes restarted half a minute later run the same code as the first ones,
// whatever happens to the sources or to another run meanwhile. It is removed at the end.
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { build } from "esbuild"

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const out = here(`dist/${process.pid}`)
const [, , test] = process.argv

process.on("exit", () => rmSync(out, { recursive: true, force: true }))
// Until the test listens for them itself, so that the folder goes then, too.
const signals = ["SIGINT", "SIGTERM"]
const abort = () => process.exit(130)
for (const signal of signals) process.on(signal, abort)
const { outputFiles } = await build({
  entryPoints: [here(`${test}.ts`), ...test === "chaos" ? [here("app.ts"), here("skew.ts")] : []],
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  conditions: ["@effect-taskflow/source"],
  // Brings a compiled part that it looks for beside itself.
  external: ["better-sqlite3"],
  // The drivers are CommonJS and call require.
  banner: {
    js:
      "import { createRequire as _createRequire } from \"node:module\"; const require = _createRequire(import.meta.url);"
  },
  logLevel: "warning",
  // Written here, so that nothing is written after the folder was removed.
  write: false
})
mkdirSync(out, { recursive: true })
for (const { contents, path } of outputFiles) writeFileSync(path, contents)

process.argv.splice(2, 1)
await import(pathToFileURL(join(out, `${test}.mjs`)).href)
for (const signal of signals) process.off(signal, abort)
