/**
 * Where tsx is, which lets Node.js load TypeScript. Loads nothing of it.
 */
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { pathToFileURL } from "node:url"

/**
 * The modules whose `register()` makes TypeScript loadable, as a module at `from` finds them, or null without tsx. Read from its
 * package: `require.resolve` answers what is for `require`, and that form does not work in a thread.
 */
export const registering = (from: string | URL): ReadonlyArray<string> | null => {
  try {
    const manifest = createRequire(from).resolve("tsx/package.json")
    const { exports } = JSON.parse(readFileSync(manifest, "utf8"))
    return ["./cjs/api", "./esm/api"].map((name) => new URL(exports[name].import.default, pathToFileURL(manifest)).href)
  } catch {
    return null
  }
}
