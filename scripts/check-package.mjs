// Packs the built package and uses it as a stranger would: what is in it, how large it is, what a bundler keeps of it, and every public
// subpath with nothing installed beside it but what README.md says. Run `npm run build` first.
//
// npm run check:package -- --update    writes scripts/package/contents.txt anew
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import * as Bundles from "./package/bundles.mjs"
import * as Consumer from "./package/consumer.mjs"
import * as Contents from "./package/contents.mjs"
import * as Declarations from "./package/declarations.mjs"
import * as Readme from "./package/readme.mjs"
import * as Uses from "./package/uses.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (file) => readFileSync(join(root, file), "utf8")
const pkg = JSON.parse(read("package.json"))
const { name } = pkg
const update = process.argv.includes("--update")

/** What is more to do with a subpath than to load it. */
const uses = {
  [name]: (project) => Uses.workers(project, name),
  [`${name}/http`]: (project) => Uses.dashboard(project, name),
  [`${name}/sqlite`]: (project) => Uses.sqlite(project, name, root)
}

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`

const work = mkdtempSync(join(tmpdir(), `${name}-package-`))
try {
  const needed = Readme.installs(read("README.md"), pkg)
  const [packed] = JSON.parse(
    Consumer.run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work], root)
  )
  checkContents(packed.files.map((file) => file.path))
  const optional = Object.keys(pkg.peerDependenciesMeta).filter((peer) => pkg.peerDependenciesMeta[peer].optional)
  const versions = Object.keys(pkg.peerDependencies).map((peer) => `${peer}@${pkg.devDependencies[peer]}`)
  const consumer = Consumer.install(join(work, "consumer"), join(work, packed.filename), versions)

  const small = Consumer.closureOf(consumer.installed, [name, ...needed.everybody])
  assert.deepEqual(optional.filter((peer) => small.has(`node_modules/${peer}`)), [], "optional peers that come unasked")
  for (const [subpath, peers] of needed.subpaths) checkSubpath(consumer, subpath, peers, needed.everybody)
  checkBins(consumer)
  Uses.command(consumer.project, pkg)
  Consumer.withOnly(consumer, [name, ...needed.everybody], () => Uses.commandAlone(consumer.project, pkg))
  const bundles = await Bundles.check(consumer.project, pkg, budget().bundles)
  checkBudget({ packed: packed.size, unpacked: packed.unpackedSize, ...bundles })
  console.log(`package: ${packed.files.length} files, ${needed.subpaths.length} subpaths, good`)
} finally {
  rmSync(work, { recursive: true, force: true })
}

function checkContents(files) {
  Contents.check(root, files)
  const list = `${Contents.listOf(files).join("\n")}\n`
  const at = "scripts/package/contents.txt"
  if (update) writeFileSync(join(root, at), list)
  const before = read(at).split("\n")
  const now = list.split("\n")
  const changes = [
    ...before.filter((line) => !now.includes(line)).map((line) => `- ${line}`),
    ...now.filter((line) => !before.includes(line)).map((line) => `+ ${line}`)
  ]
  assert.deepEqual(changes, [], `${at} says otherwise. If that is meant: npm run check:package -- --update`)
}

function checkSubpath(consumer, subpath, peers, everybody) {
  Consumer.withOnly(consumer, [name, ...everybody, ...peers], () => {
    try {
      Uses.imports(consumer.project, name, subpath)
      uses[subpath]?.(consumer.project)
      Declarations.check(consumer.project, pkg, root, subpath)
    } catch (error) {
      throw new Error(`${subpath} with ${[...everybody, ...peers].join(", ")}, as README.md says: ${error.message}`)
    }
  })
}

/** A command is a file of the package that Node.js runs, and it answers with its version. */
function checkBins({ project }) {
  for (const [bin, file] of Object.entries(pkg.bin ?? {})) {
    const target = join(project, "node_modules", name, file)
    assert(statSync(target).isFile(), `${bin} is no file of the package: ${file}`)
    assert(readFileSync(target, "utf8").startsWith("#!/usr/bin/env node\n"), `${file} does not say what runs it`)
    const said = Consumer.run(process.execPath, [target, "--version"], project)
    assert(said.includes(pkg.version), `${bin} --version says ${said}`)
  }
}

function budget() {
  return JSON.parse(read("scripts/package/budget.json"))
}

function checkBudget(sizes) {
  const { bundles, packed, unpacked } = budget()
  const limits = { packed, unpacked }
  for (const [bundle, { gzip }] of Object.entries(bundles)) limits[bundle] = gzip
  for (const [what, size] of Object.entries(sizes)) {
    console.log(`size of ${what}: ${kilobytes(size)} of ${kilobytes(limits[what])}`)
  }
  const over = Object.keys(sizes).filter((what) => !(sizes[what] <= limits[what]))
  assert.deepEqual(
    over,
    [],
    "larger than scripts/package/budget.json allows: make it smaller, or raise the number in review"
  )
}
