/**
 * The built web app, read into memory once for the process: what `npm run build:dashboard` left in `dist/dashboard`.
 */
import { readFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

/** One file as it is sent, in every encoding it was compressed to. */
export interface Asset {
  readonly type: string
  readonly etag: string
  readonly plain: Uint8Array
  readonly br: Uint8Array | null
  readonly gzip: Uint8Array | null
}

/** What a page loads, as paths below the dashboard. */
export interface Entry {
  readonly icon: string
  /** A small module that asks for what the page shows first, while the rest is read. */
  readonly first: string
  readonly script: string
  readonly styles: ReadonlyArray<string>
  /** Modules that the scripts import, and fonts that the styles name: asked for before they are found. */
  readonly modules: ReadonlyArray<string>
  readonly fonts: ReadonlyArray<string>
}

export interface Assets {
  /** Names this build: another one has other files. */
  readonly build: string
  readonly entry: Entry
  readonly files: ReadonlyMap<string, Asset>
}

interface Manifest {
  readonly build: string
  readonly entry: Entry
  readonly files: Readonly<Record<string, { readonly type: string; readonly encodings: ReadonlyArray<"br" | "gz"> }>>
}

const here = path.dirname(fileURLToPath(import.meta.url))
// Beside this file in the package; from source, where the build puts it.
const places = [path.join(here, "../../dashboard"), path.join(here, "../../../dist/dashboard")]

const readAt = (place: string): Assets => {
  // safe: written by the build
  const manifest = JSON.parse(readFileSync(path.join(place, "dashboard.json"), "utf8")) as Manifest
  const files = Object.entries(manifest.files).map(([name, { encodings, type }]): [string, Asset] => {
    const read = (suffix = ""): Uint8Array => readFileSync(path.join(place, name + suffix))
    return [name, {
      type,
      // The name holds a hash of the content.
      etag: `"${path.basename(name)}"`,
      plain: read(),
      br: encodings.includes("br") ? read(".br") : null,
      gzip: encodings.includes("gz") ? read(".gz") : null
    }]
  })
  return { build: manifest.build, entry: manifest.entry, files: new Map(files) }
}

const attempt = (place: string): Assets | null => {
  try {
    return readAt(place)
  } catch {
    return null
  }
}

let known: Assets | null = null

/** The built app; null where there is none. Looked for again as long as there is none. */
export const read = (): Assets | null => {
  for (const place of places) known ??= attempt(place)
  return known
}
