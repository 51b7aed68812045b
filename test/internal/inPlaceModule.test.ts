/** Modules in place under a plain Node.js, as for a test runner that leaves the installed package to it. */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"
import { buildSync } from "esbuild"
import { afterAll, beforeAll, expect, it } from "vitest"

const root = path.resolve(import.meta.dirname, "../..")
const project = fs.mkdtempSync(path.join(os.tmpdir(), "effect-taskflow-in-place-"))

beforeAll(() => {
  buildSync({
    entryPoints: [path.join(root, "src/internal/inPlaceModule.ts")],
    bundle: true,
    platform: "node",
    format: "esm",
    outfile: path.join(project, "inPlaceModule.mjs")
  })
  fs.writeFileSync(
    path.join(project, "app.mjs"),
    "import { importHere } from \"./inPlaceModule.mjs\"\n" +
      "const said = await importHere(process.argv[2]).then((module) => module.default, (error) => error.message)\n" +
      "console.log(said)\n"
  )
  fs.writeFileSync(path.join(project, "package.json"), JSON.stringify({ type: "module" }))
  const write = (folder: string) => {
    fs.mkdirSync(path.join(project, folder))
    // An enum is what Node.js alone does not strip.
    fs.writeFileSync(
      path.join(project, folder, "typed.ts"),
      "enum Kind { A = \"typed\" }\nexport default Kind.A as Kind\n"
    )
    fs.writeFileSync(path.join(project, folder, "broken.js"), "throw new Error(\"broken by itself\")\n")
    fs.writeFileSync(path.join(project, folder, "plain.js"), "export default \"plain\"\n")
  }
  write("with")
  write("without")
  fs.mkdirSync(path.join(project, "with/node_modules"))
  fs.symlinkSync(path.join(root, "node_modules/tsx"), path.join(project, "with/node_modules/tsx"))
})

afterAll(() => fs.rmSync(project, { recursive: true, force: true }))

const importing = async (file: string) => {
  const url = pathToFileURL(path.join(project, file)).href
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(project, "app.mjs"), url], {
    env: { PATH: process.env["PATH"] }
  })
  return stdout.trim()
}

it("takes the .ts of a .js that is not there, with tsx beside it", { timeout: 30_000 }, async () => {
  expect(await importing("with/typed.js")).toBe("typed")
  expect(await importing("with/typed.ts")).toBe("typed")
  expect(await importing("with/plain.js")).toBe("plain")
})

it("says why it cannot", { timeout: 30_000 }, async () => {
  expect(await importing("with/broken.js")).toBe("broken by itself")
  expect(await importing("with/nowhere.js")).toContain("Cannot find module")
  if (!Reflect.get(process.features, "typescript")) {
    expect(await importing("without/typed.js")).toContain("install tsx beside it")
  }
})
