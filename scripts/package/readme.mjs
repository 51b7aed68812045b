// What README.md tells people to install: for everybody, and for each subpath besides.
import assert from "node:assert/strict"

const specs = (text) => [...text.matchAll(/(@?[\w./-]+)@(\d[\w.]*)/g)].map(([, name, version]) => ({ name, version }))

const subpaths = (pkg) =>
  Object.entries(pkg.exports)
    .filter(([, target]) => typeof target === "object" && target !== null)
    .map(([key]) => pkg.name + key.slice(1))

/** `everybody` and, by subpath, the names of packages. Throws where README.md and package.json do not say the same. */
export const installs = (readme, pkg) => {
  const line = readme.split("\n").find((line) => line.startsWith(`npm i ${pkg.name} `))
  assert(line !== undefined, `README.md has no line that begins with: npm i ${pkg.name}`)
  const rows = readme.split("\n").flatMap((line) => {
    const [, subpath, rest] = /^\| `([^`]+)` \|(.*)\|$/.exec(line) ?? []
    const isOurs = subpath === pkg.name || subpath?.startsWith(`${pkg.name}/`)
    return isOurs ? [[subpath, specs(rest.split("|").at(-1))]] : []
  })
  assert.deepEqual(
    rows.map(([subpath]) => subpath).sort(),
    subpaths(pkg).sort(),
    "the table of README.md (one row a subpath, what to install in its last column) and the exports of package.json differ"
  )
  const everybody = specs(line)
  for (const { name, version } of [...everybody, ...rows.flatMap(([, needed]) => needed)]) {
    const range = pkg.peerDependencies[name]
    assert(range !== undefined, `README.md says ${name}, which is no peer in package.json`)
    const fits = range.replace(/^\^/, "").startsWith(`${version}.`)
    assert(fits, `README.md says ${name}@${version}, the peer in package.json is ${range}`)
  }
  return {
    everybody: everybody.map(({ name }) => name),
    subpaths: rows.map(([subpath, needed]) => [subpath, needed.map(({ name }) => name)])
  }
}
