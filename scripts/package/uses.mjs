// What strangers do with the package, each as a program of its own in a project of theirs.
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { cpSync } from "node:fs"
import { join } from "node:path"
import { run, runProgram } from "./consumer.mjs"

/** A subpath is loaded from dist and exports something; what is private stays private. */
export const imports = (project, name, subpath) =>
  runProgram(
    project,
    "imports.js",
    `import assert from "node:assert/strict"
const [, , name, subpath] = process.argv
assert.match(import.meta.resolve(subpath), /\\/dist\\/[^/]+\\.js$/, subpath + " does not resolve to dist")
assert(Object.keys(await import(subpath)).length > 0, subpath + " exports nothing")
for (const hidden of ["/internal/anything", "/internal/anything.js", "/dist/index.js", "/src/index.ts"]) {
  assert.throws(() => import.meta.resolve(name + hidden), { code: "ERR_PACKAGE_PATH_NOT_EXPORTED" })
}
`,
    [name, subpath]
  )

/** The server finds its web app where the package has it. */
export const dashboard = (project, name) =>
  runProgram(
    project,
    "dashboard.js",
    `import assert from "node:assert/strict"
import { Layer } from "effect"
import { MemoryBackend, TaskflowLayer } from "${name}"
import { TaskAuth, TaskHost } from "${name}/http"
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

const greetWorker = (name) =>
  `import { Effect, Schema } from "effect"
import { Task } from "${name}"
const Greet = Task.make("greet", { payload: { name: Schema.String }, success: Schema.String, executor: "thread" })
export default Task.worker(Greet, ({ name }) => Effect.succeed("hello, " + name))
`

/** An attempt in a thread and one in a process, whose entry is in dist. */
export const workers = (project, name) => {
  runProgram(project, "greet.worker.js", greetWorker(name))
  runProgram(
    project,
    "workers.js",
    `import assert from "node:assert/strict"
import { Effect } from "effect"
import { Task } from "${name}"
const { make } = await import(new URL("executor/WorkerPool.js", import.meta.resolve("${name}")))
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
}

/** A task that one process accepts and another runs, from dist and a file. `root` has the addon. */
export const sqlite = (project, name, root) => {
  const addon = "node_modules/better-sqlite3/build/Release/better_sqlite3.node"
  cpSync(join(root, addon), join(project, addon), { recursive: true })
  const code = `import { Effect, Layer, Schema } from "effect"
import { Task, TaskflowLayer } from "${name}"
import { SqliteBackend } from "${name}/sqlite"
const Greet = Task.make("greet", { payload: { name: Schema.String }, success: Schema.String })
const Engine = TaskflowLayer({ announce: false }).pipe(Layer.provide(SqliteBackend.layer({ filename: "tasks.db" })))
const Handler = Greet.toLayer(({ name }) => Effect.succeed("hello, " + name))
const [, , taskId] = process.argv
const program = taskId === undefined
  ? Effect.provide(Effect.map(Greet.enqueue({ name: "Ada" }), ({ taskId }) => taskId), Engine)
  : Effect.provide(Greet.awaitResult(taskId), Layer.provideMerge(Handler, Engine))
console.log(await Effect.runPromise(program))
`
  const taskId = runProgram(project, "sqlite.js", code).trim()
  assert.equal(runProgram(project, "sqlite.js", code, [taskId]).trim(), "hello, Ada")
}

const linked = (project, name) => join(project, "node_modules/.bin", name)

/** The command that npm links, on the tasks that `sqlite` left. */
export const command = (project, { name, version }) => {
  const say = (...args) => run(linked(project, name), args, project)
  assert.equal(say("--version").trim(), version)
  const { items } = JSON.parse(say("list", "--url", "sqlite:tasks.db", "--json"))
  assert.deepEqual(items.map(({ status, taskName }) => [taskName, status]), [["greet", "success"]])
}

/** The same without what it is made with: one line says what to install. */
export const commandAlone = (project, { name }) => {
  const { status, stderr } = spawnSync(linked(project, name), ["--version"], { encoding: "utf8" })
  assert.equal(status, 2)
  assert.match(
    stderr,
    /^effect-taskflow: the command line needs packages .+: npm install "@effect\/cli@\^[\d.]+" [^\n]+\n$/
  )
}
