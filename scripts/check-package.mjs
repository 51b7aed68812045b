// Packs the built package and uses it as a stranger would: only allowed files inside, every public subpath imports from
// dist with its declarations complete, and what is private stays private. Run `npm run build` first.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const pkg = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const subpaths = Object.entries(pkg.exports)
  .filter(([, target]) => typeof target === "object" && target !== null)
  .map(([key]) => pkg.name + key.slice(1))

const allowed = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE$/,
  /^src\/.+\.ts$/,
  /^dist\/.+\.(js|js\.map|d\.ts|d\.ts\.map)$/
]

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })

const work = mkdtempSync(join(tmpdir(), "effect-taskflow-package-"))
try {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work], root))
  checkContent(packed.files.map((file) => file.path))
  const project = install(join(work, packed.filename))
  checkImports(project)
  checkDeclarations(project)
  console.log(`package: ${packed.files.length} files, ${subpaths.length} subpaths, good`)
} finally {
  rmSync(work, { recursive: true, force: true })
}

function checkContent(files) {
  const strangers = files.filter((file) => !allowed.some((pattern) => pattern.test(file)))
  assert.deepEqual(strangers, [], "files that do not belong in the package")
  for (const required of ["README.md", "LICENSE"]) assert(files.includes(required), `${required} is not in the package`)

  const stems = (pattern) => files.flatMap((file) => pattern.exec(file)?.[1] ?? []).sort()
  const sources = stems(/^src\/(.+)(?<!\.d)\.ts$/)
  assert(sources.length > 0, "no sources in the package")
  for (
    const built of [/^dist\/(.+)\.js$/, /^dist\/(.+)\.js\.map$/, /^dist\/(.+)\.d\.ts$/, /^dist\/(.+)\.d\.ts\.map$/]
  ) {
    assert.deepEqual(stems(built), sources, `dist and src differ for ${built}: run the build again`)
  }
}

function install(tarball) {
  const project = join(work, "project")
  mkdirSync(project)
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }))
  const peers = Object.keys(pkg.peerDependencies).map((name) => `${name}@${pkg.devDependencies[name]}`)
  run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", tarball, ...peers], project)
  return project
}

function checkImports(project) {
  writeFileSync(
    join(project, "consumer.js"),
    `import assert from "node:assert/strict"
for (const subpath of ${JSON.stringify(subpaths)}) {
  const url = import.meta.resolve(subpath)
  assert.match(url, /\\/dist\\/[^/]+\\.js$/, subpath + " does not resolve to dist")
  assert(Object.keys(await import(subpath)).length > 0, subpath + " exports nothing")
}
for (const hidden of ["/internal/anything", "/internal/anything.js", "/dist/index.js", "/src/index.ts"]) {
  assert.throws(() => import.meta.resolve("${pkg.name}" + hidden), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" })
}
`
  )
  run(process.execPath, ["consumer.js"], project)
}

// Library checking stays on: a declaration naming a package the consumer does not have would otherwise become `any`.
function checkDeclarations(project) {
  const lines = subpaths.flatMap((subpath, index) => [`import * as m${index} from "${subpath}"`, `void m${index}`])
  writeFileSync(join(project, "consumer.ts"), lines.join("\n") + "\n")
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "ES2022",
        module: "NodeNext",
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        types: ["node"],
        typeRoots: [join(root, "node_modules/@types")]
      },
      files: ["consumer.ts"]
    })
  )
  try {
    run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.json"], project)
  } catch (error) {
    throw new Error(`the declarations do not compile in a consumer:\n${error.stdout}`)
  }
}
