// Packs the built package and uses it as a stranger would: only allowed files inside, every public subpath imports from
// dist with its declarations complete, what is private stays private, and who keeps tasks in memory needs no database's
// packages. Run `npm run build` first.
import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const pkg = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
const subpaths = Object.entries(pkg.exports)
  .filter(([, target]) => typeof target === "object" && target !== null)
  .map(([key]) => pkg.name + key.slice(1))

// Needed by the subpaths of databases, or by the command line, alone.
const optional = Object.keys(pkg.peerDependenciesMeta).filter((name) => pkg.peerDependenciesMeta[name].optional)
const peers = Object.keys(pkg.peerDependencies)
const withoutDatabase = ["", "/http", "/observers", "/testing"].map((subpath) => pkg.name + subpath)

const allowed = [
  /^package\.json$/,
  /^README\.md$/,
  /^LICENSE$/,
  /^src\/.+\.ts$/,
  /^dist\/.+\.(js|js\.map|d\.ts|d\.ts\.map)$/,
  /^dist\/dashboard\/(dashboard\.json|assets\/[\w-]+\.(js|css|svg|txt|woff2)(\.(br|gz))?)$/
]

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })

const work = mkdtempSync(join(tmpdir(), "effect-taskflow-package-"))
try {
  const [packed] = JSON.parse(run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", work], root))
  checkContent(packed.files.map((file) => file.path))
  const tarball = join(work, packed.filename)
  const small = install("small", tarball, peers.filter((name) => !optional.includes(name)))
  checkAbsent(small)
  checkImports(small, withoutDatabase)
  checkDashboard(small)
  checkDeclarations(small, withoutDatabase)
  // @effect/sql-pg declares types of pg and does not bring them.
  const project = install("project", tarball, [...peers, "@types/pg"])
  checkImports(project, subpaths)
  checkDeclarations(project, subpaths)
  checkSqlite(project)
  checkWorkers(small)
  checkCommand(project, small)
  console.log(`package: ${packed.files.length} files, ${subpaths.length} subpaths, good`)
} finally {
  rmSync(work, { recursive: true, force: true })
}

function checkContent(files) {
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
  for (
    const built of [/^dist\/(.+)\.js$/, /^dist\/(.+)\.js\.map$/, /^dist\/(.+)\.d\.ts$/, /^dist\/(.+)\.d\.ts\.map$/]
  ) {
    assert.deepEqual(stems(built), sources, `dist and src differ for ${built}: run the build again`)
  }
}

// Without scripts: a native addon would be compiled each time. checkSqlite uses the one that is built already.
function install(name, tarball, packages) {
  const project = join(work, name)
  mkdirSync(project)
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }))
  const versions = packages.map((name) => `${name}@${pkg.devDependencies[name]}`)
  const options = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
  run("npm", ["install", ...options, tarball, ...versions], project)
  return project
}

function checkAbsent(project) {
  const there = optional.filter((name) => existsSync(join(project, "node_modules", name)))
  assert.deepEqual(there, [], "optional peers that come along unasked")
}

function checkImports(project, subpaths) {
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

// The server finds its web app where the package has it.
function checkDashboard(project) {
  writeFileSync(
    join(project, "dashboard.js"),
    `import assert from "node:assert/strict"
import { Layer } from "effect"
import { MemoryBackend, TaskflowLayer } from "${pkg.name}"
import { TaskAuth, TaskHost } from "${pkg.name}/http"
const host = TaskHost.make(Layer.provide(TaskflowLayer({ announce: false }), MemoryBackend.layer()), { auth: TaskAuth.open })
const ask = (path) => host.web(new Request("http://localhost" + path))
const page = await ask("/tasks/dashboard/runs")
assert.equal(page.status, 200)
const script = /<script type="module" src="([^"]+)"/.exec(await page.text())[1]
const answer = await ask(new URL(script, "http://localhost/tasks/dashboard/runs").pathname)
assert.equal(answer.headers.get("content-type"), "text/javascript; charset=utf-8")
await host.dispose()
`
  )
  run(process.execPath, ["dashboard.js"], project)
}

// Library checking stays on: a declaration naming a package the consumer does not have would otherwise become `any`.
function checkDeclarations(project, subpaths) {
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

// An attempt in a thread and one in a process, whose entry is in dist.
function checkWorkers(project) {
  writeFileSync(
    join(project, "greet.worker.js"),
    `import { Effect, Schema } from "effect"
import { Task } from "${pkg.name}"
const Greet = Task.make("greet", { payload: { name: Schema.String }, success: Schema.String, executor: "thread" })
export default Task.worker(Greet, ({ name }) => Effect.succeed("hello, " + name))
`
  )
  writeFileSync(
    join(project, "workers.js"),
    `import assert from "node:assert/strict"
import { Effect } from "effect"
import { Task } from "${pkg.name}"
const { make } = await import(new URL("executor/WorkerPool.js", import.meta.resolve("${pkg.name}")))
const { ref } = Task.module(new URL("./greet.worker.js", import.meta.url))
const limits = { min: 0, max: 1, idleTimeout: 60_000, recycleAfter: Infinity, memoryLimit: null, startTimeout: 30_000, grace: 250 }
const context = { taskId: "t", taskName: "greet", tags: {}, source: "manual", schedule: null, attempt: 0, instance: "i", fence: 1 }
const job = { module: ref, payload: '{"name":"Ada"}', maxResultSize: 1000, logLevel: "info", context }
for (const kind of ["thread", "process"]) {
  const run = Effect.flatMap(make({ ...limits, kind }), (pool) => pool.run(job, { started() {}, log() {}, progress() {} }))
  assert.deepEqual(await Effect.runPromise(Effect.scoped(run)), { _tag: "Success", result: '"hello, Ada"' })
}
`
  )
  run(process.execPath, ["workers.js"], project)
}

// A task that one process accepts and another runs, from dist and a file.
function checkSqlite(project) {
  const addon = "node_modules/better-sqlite3/build/Release/better_sqlite3.node"
  cpSync(join(root, addon), join(project, addon), { recursive: true })
  writeFileSync(
    join(project, "sqlite.js"),
    `import { Effect, Layer, Schema } from "effect"
import { Task, TaskflowLayer, TaskManager } from "${pkg.name}"
import { SqliteBackend } from "${pkg.name}/sqlite"
const Greet = Task.make("greet", { payload: { name: Schema.String }, success: Schema.String })
const Engine = TaskflowLayer({ announce: false }).pipe(Layer.provide(SqliteBackend.layer({ filename: "tasks.db" })))
const Handler = Greet.toLayer(({ name }) => Effect.succeed("hello, " + name))
const [, , taskId] = process.argv
const program = taskId === undefined
  ? Effect.provide(Effect.map(Greet.enqueue({ name: "Ada" }), ({ taskId }) => taskId), Engine)
  : Effect.provide(Greet.awaitResult(taskId), Layer.provideMerge(Handler, Engine))
console.log(await Effect.runPromise(program))
`
  )
  const taskId = run(process.execPath, ["sqlite.js"], project).trim()
  assert.equal(run(process.execPath, ["sqlite.js", taskId], project).trim(), "hello, Ada")
}

// What npm links as a command, with its packages and without them.
function checkCommand(project, without) {
  const command = (where) => join(where, "node_modules/.bin/effect-taskflow")
  const usual = (...args) => run(command(project), args, project)
  assert.equal(usual("--version").trim(), pkg.version)
  const { items } = JSON.parse(usual("list", "--url", "sqlite:tasks.db", "--json"))
  assert.deepEqual(items.map(({ status, taskName }) => [taskName, status]), [["greet", "success"]])
  const { status, stderr } = spawnSync(command(without), ["--version"], { encoding: "utf8" })
  assert.equal(status, 2)
  assert.match(
    stderr,
    /^effect-taskflow: the command line needs packages .+: npm install "@effect\/cli@\^[\d.]+" [^\n]+\n$/
  )
}
