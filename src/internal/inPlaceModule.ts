/**
 * Imports a module that workers load into this process. Loaded itself when a module is wanted here.
 *
 * A test runner that leaves this package to Node.js leaves this import to it too: then TypeScript needs the same help here as
 * in a worker (`src/executor/entry.ts`).
 */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { registering } from "../executor/tsx.js"

const isThere = (url: string): boolean => existsSync(fileURLToPath(url))

// After the build a module is .js, in development the same name is .ts.
const sourceOf = (url: string): string | null => {
  const source = /\.[cm]?tsx?$/.test(url) ? url : url.replace(/\.([cm]?)js$/, ".$1ts")
  return source === url ? (isThere(url) ? url : null) : !isThere(url) && isThere(source) ? source : null
}

let typesLoaded = false

// For this whole process, and only after it could not do so by itself.
const loadTypes = async (from: string): Promise<void> => {
  if (typesLoaded) return
  const modules = registering(from)
  if (modules === null) {
    if (Reflect.get(process.features, "typescript")) return
    throw new Error("it is TypeScript: install tsx beside it, or build it and name the .js")
  }
  for (const module of modules) (await import(module)).register()
  typesLoaded = true
}

export const importHere = async (url: string): Promise<object> => {
  try {
    return await import(url)
  } catch (error) {
    const source = sourceOf(url)
    if (source === null || !isLoading(error)) throw error
    await loadTypes(source)
    // Node.js remembers that it could not load a URL.
    return await import(source === url ? `${source}?typed` : source)
  }
}

// What the module throws by itself is not tried twice.
const isLoading = (error: unknown): boolean =>
  error instanceof Error && "code" in error &&
  (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "ERR_UNKNOWN_FILE_EXTENSION")
