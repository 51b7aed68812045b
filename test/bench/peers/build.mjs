// Compiles src into test/bench/peers/dist as plain JavaScript, as a user's build would have it: a copy of its own, so that
// nothing stale is measured and nothing that something else uses is replaced. Types are checked by the root project.
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { buildSync } from "esbuild"

const source = fileURLToPath(new URL("../../../src", import.meta.url))
const target = fileURLToPath(new URL("dist", import.meta.url))

export const build = () => {
  const entryPoints = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.startsWith("dashboard"))
    .map((name) => join(source, name))
  rmSync(target, { recursive: true, force: true })
  buildSync({ entryPoints, outbase: source, outdir: target, format: "esm", target: "es2022", logLevel: "error" })
}
