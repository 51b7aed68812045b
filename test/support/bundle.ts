/**
 * A program of this repository in one file of JavaScript, for tests that start it again and again: from its sources a process
 * loads a thousand modules before it begins, which takes seconds of a processor each time.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import { buildSync } from "esbuild"

const root = path.resolve(import.meta.dirname, "../..")

/** A folder for what is bundled, inside of the repository: what stays outside of a bundle is found from there. */
export const bundleFolder = (): string => {
  const parent = path.join(root, "test/dist")
  fs.mkdirSync(parent, { recursive: true })
  const folder = fs.mkdtempSync(path.join(parent, "bundle-"))
  // Where a server that was bundled from two folders down looks for the dashboard.
  fs.symlinkSync(path.join(root, "dist/dashboard"), path.join(folder, "dashboard"), "dir")
  return folder
}

/** Bundles a program, named by its path in the repository, into a folder; gives the file to start. */
export const bundle = (entry: string, folder: string): string => {
  const outfile = path.join(folder, entry.replace(/\.ts$/, ".mjs"))
  buildSync({
    entryPoints: [path.join(root, entry)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    conditions: ["@effect-taskflow/source"],
    // It brings a compiled part, which it looks for beside itself.
    external: ["better-sqlite3"],
    // The drivers are CommonJS and call require.
    banner: {
      js:
        "import { createRequire as _createRequire } from \"node:module\"; const require = _createRequire(import.meta.url);"
    },
    logLevel: "warning"
  })
  return outfile
}
