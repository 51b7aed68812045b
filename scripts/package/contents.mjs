// What is in the package, file by file, as contents.txt beside this file lists it: a change of it is seen in review. A module is one
// line, and names with a hash are written without it.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"

/** Nothing else may be in it, whatever the list says. */
const allowed = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE$/,
  /^src\/.+\.ts$/,
  /^dist\/.+\.(js|js\.map|d\.ts|d\.ts\.map)$/,
  /^dist\/dashboard\/(dashboard\.json|assets\/[\w-]+\.(js|css|svg|txt|woff2)(\.(br|gz))?)$/
]

const built = ["js", "js.map", "d.ts", "d.ts.map"]

/** One line for what belongs together: `dist/X.{js,…}, src/X.ts`, `main-*.{js,js.br,js.gz}`. */
export const listOf = (files) => {
  const groups = new Map()
  for (const file of files) {
    const module = /^(?:src|dist)\/(?!dashboard\/)(.+?)\.(?:d\.ts|d\.ts\.map|ts|js|js\.map)$/.exec(file)?.[1]
    const hashed = /^(dist\/dashboard\/assets\/.+?)-[\w-]{8}\.(.+)$/.exec(file)
    const [key, form] = module !== undefined
      ? [`module ${module}`, file.startsWith("src/") ? "src" : file.slice(`dist/${module}.`.length)]
      : hashed !== null
      ? [`${hashed[1]}-*`, hashed[2]]
      : [file, ""]
    groups.set(key, [...(groups.get(key) ?? []), form])
  }
  return [...groups].map(([key, forms]) => {
    const sorted = [...new Set(forms)].sort()
    const all = [...built, "src"].sort()
    if (key.startsWith("module ") && sorted.join() === all.join()) return key
    return sorted.join() === ""
      ? key
      : `${key} ${sorted.join(" ")}${forms.length === sorted.length ? "" : ` (${forms.length} files)`}`
  }).sort()
}

export const check = (root, files) => {
  const strangers = files.filter((file) => !allowed.some((pattern) => pattern.test(file)))
  assert.deepEqual(strangers, [], "files that do not belong in the package")
  for (const required of ["README.md", "LICENSE"]) assert(files.includes(required), `${required} is not in the package`)

  const dashboard = files.filter((file) => file.startsWith("dist/dashboard/"))
  const listed = JSON.parse(readFileSync(join(root, "dist/dashboard/dashboard.json"), "utf8"))
  for (const name of ["dashboard.json", ...Object.keys(listed.files)]) {
    assert(dashboard.includes(`dist/dashboard/${name}`), `${name} of the dashboard is not in the package`)
  }
  assert(!files.some((file) => file.startsWith("src/dashboard/")), "the sources of the dashboard are in its bundle")

  const library = files.filter((file) => !dashboard.includes(file))
  const stems = (pattern) => library.flatMap((file) => pattern.exec(file)?.[1] ?? []).sort()
  const sources = stems(/^src\/(.+)(?<!\.d)\.ts$/)
  assert(sources.length > 0, "no sources in the package")
  for (const form of built) {
    const found = stems(new RegExp(`^dist\\/(.+)(?<!\\.d)\\.${form.replaceAll(".", "\\.")}$`))
    assert.deepEqual(found, sources, `dist and src differ for ${form}: run the build again`)
  }
}
