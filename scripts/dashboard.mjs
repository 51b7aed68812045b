// Builds the dashboard from src/dashboard into dist/dashboard: hashed files, compressed beside themselves, and dashboard.json,
// which tells the server what there is. With --if-stale only when what is there was built from something else.
//
// npm run build:dashboard
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { extname, join, relative } from "node:path"
import process, { argv } from "node:process"
import { fileURLToPath } from "node:url"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"

const root = fileURLToPath(new URL("..", import.meta.url))
const source = join(root, "src/dashboard")
const target = join(root, "dist/dashboard")
// The app also runs these parts of the server: its filter language and its reducer of the stream.
const sources = [
  source,
  join(root, "src/http/filter"),
  join(root, "src/http/stream"),
  join(root, "scripts/dashboard.mjs")
]
const bundled = ["preact", "@preact/signals", "@preact/signals-core", "@tanstack/virtual-core", "uplot"]

const types = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2"
}

const filesIn = (place) =>
  statSync(place).isFile() ? [place] : readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()

const versionOf = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version

/** Names what a build is made from. */
export const sourceHash = () => {
  const hash = createHash("sha256")
  for (const file of sources.flatMap(filesIn)) hash.update(relative(root, file)).update("\0").update(readFileSync(file))
  for (const name of [...bundled, "vite"]) hash.update(`${name}@${versionOf(name)}\0`)
  return hash.digest("hex").slice(0, 16)
}

const manifestAt = join(target, "dashboard.json")

const isFresh = () => existsSync(manifestAt) && JSON.parse(readFileSync(manifestAt, "utf8")).source === sourceHash()

// What is bundled is copied into the package: its licences come along.
const licences = () =>
  [
    ...bundled.map((name) => [name, join(root, "node_modules", name, "LICENSE")]),
    ["Inter (assets/inter)", join(source, "fonts/OFL-inter.txt")],
    ["Geist Mono (assets/geist-mono)", join(source, "fonts/OFL-geist-mono.txt")]
  ].map(([name, file]) => `${name}\n\n${readFileSync(file, "utf8").trim()}\n`).join(`\n${"-".repeat(80)}\n\n`)

const entryOf = (chunks) => {
  const [first, main] = ["first.ts", "main.tsx"].map((name) => chunks[name])
  const modules = new Set()
  const visit = (chunk) => {
    for (const name of chunk.imports ?? []) {
      modules.add(chunks[name].file)
      visit(chunks[name])
    }
  }
  visit(first)
  visit(main)
  modules.delete(first.file)
  const assets = Object.values(chunks).flatMap((chunk) => chunk.assets ?? [])
  return {
    first: first.file,
    script: main.file,
    styles: main.css ?? [],
    modules: [...modules],
    fonts: [...new Set(assets)].filter((file) => file.endsWith(".woff2")).sort(),
    icon: copied("icon.svg")
  }
}

// Named by the page alone, so no module leads to it.
const copied = (name) => {
  const bytes = readFileSync(join(source, name))
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8)
  const to = `assets/${name.replace(/(?=\.[^.]+$)/, `-${hash}`)}`
  writeFileSync(join(target, to), bytes)
  return to
}

// What does not get smaller is sent as it is.
const compressed = (file, bytes) => {
  const forms = {
    br: brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } }),
    gz: gzipSync(bytes, { level: 9 })
  }
  return Object.entries(forms).filter(([, form]) => form.length < bytes.length * 0.95).map(([name, form]) => {
    writeFileSync(`${file}.${name}`, form)
    return name
  })
}

export const build = async () => {
  const from = sourceHash()
  const { build: vite } = await import("vite")
  const { NODE_ENV } = process.env
  // Whoever builds it, a test run too: what this says decides how components are compiled.
  process.env.NODE_ENV = "production"
  try {
    await vite({ configFile: join(source, "vite.config.mjs"), logLevel: "warn", mode: "production" })
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = NODE_ENV
  }
  const chunks = JSON.parse(readFileSync(join(target, "manifest.json"), "utf8"))
  rmSync(join(target, "manifest.json"))
  const entry = entryOf(chunks)
  writeFileSync(join(target, "assets/LICENSES.txt"), licences())
  const files = {}
  const hash = createHash("sha256")
  for (const file of filesIn(join(target, "assets"))) {
    const name = relative(target, file).replaceAll("\\", "/")
    const bytes = readFileSync(file)
    hash.update(name).update(bytes)
    files[name] = { type: types[extname(file)] ?? "application/octet-stream", encodings: compressed(file, bytes) }
  }
  const manifest = { source: from, build: hash.digest("hex").slice(0, 12), entry, files }
  writeFileSync(manifestAt, `${JSON.stringify(manifest, null, 2)}\n`)
  return manifest
}

/** Builds unless what is there was built from the same sources. */
export const buildIfStale = async () => {
  if (isFresh()) return
  console.log("building the dashboard: dist/dashboard")
  await build()
}

/** What vitest calls before the tests. */
export const setup = buildIfStale

if (argv[1] === fileURLToPath(import.meta.url)) {
  if (argv.includes("--if-stale")) await buildIfStale()
  else await build()
}
