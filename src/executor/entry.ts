/**
 * What a thread or a process of a pool runs. It loads the modules of handlers and hands them attempts.
 *
 * Started by its URL and imported by nobody. No Effect here, so promises: the module it loads brings its own.
 */
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { getHeapStatistics } from "node:v8"
import { isMainThread, type MessagePort, Worker, workerData } from "node:worker_threads"
import type { ModuleRef, WorkerError, WorkerJob } from "./job.js"
import {
  type FromWorker,
  mark,
  protocol,
  type Servable,
  type Session,
  type ToWorker,
  typesLoaded,
  workerKey,
  type WorkerStart
} from "./protocol.js"
import { registering } from "./tsx.js"

// ── the channel ──────────────────────────────────────────────────────────────────────────────────────────────────────

const port: MessagePort | null = isMainThread ? null : workerData[mark].port
const start: WorkerStart = isMainThread ? JSON.parse(process.argv[2]!) : workerData[mark]

const send = (message: FromWorker): void => {
  const marked = { [mark]: message }
  if (port !== null) port.postMessage(marked)
  // A parent that is gone hears nothing; who notices that is below.
  else if (process.connected) process.send!(marked, undefined, undefined, () => {})
}

const usedMemory = (): number => {
  if (isMainThread) return process.memoryUsage.rss()
  const { external_memory, total_heap_size } = getHeapStatistics()
  return total_heap_size + external_memory
}

// ── modules ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const isTypeScript = (url: string): boolean => /\.[cm]?tsx?$/.test(new URL(url).pathname)

// After the build a module is .js, in development the same name is .ts.
const present = (url: string): string => {
  const asTypeScript = url.replace(/\.([cm]?)js$/, ".$1ts")
  return !existsSync(fileURLToPath(url)) && existsSync(fileURLToPath(asTypeScript)) ? asTypeScript : url
}

// Not every Node.js takes the loader of its parent into a thread, so it is loaded here. tsx first: what it understands is more
// than what Node.js does by itself.
const loadTypes = async (url: string): Promise<void> => {
  if (Reflect.has(globalThis, typesLoaded)) return
  const modules = registering(url)
  if (modules === null && !Reflect.get(process.features, "typescript")) {
    throw new Error("it is TypeScript: install tsx beside it, or build it and name the .js")
  }
  for (const module of modules ?? []) (await import(module)).register()
  Reflect.set(globalThis, typesLoaded, true)
}

const isServable = (value: unknown): value is Servable =>
  typeof value === "object" && value !== null && Reflect.has(value, workerKey)

// What was compiled to CommonJS has its default export one level deeper.
const exported = (module: Readonly<Record<string, unknown>>, name: string): unknown => {
  const value = module[name]
  if (isServable(value)) return value
  const { default: inner } = module
  const deeper = typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined
  return isServable(deeper) ? deeper : value
}

const servable = async ({ exportName, url }: ModuleRef, taskName?: string): Promise<Servable> => {
  const actual = present(url)
  if (isTypeScript(actual)) await loadTypes(actual)
  const module = await import(actual)
  const value = exported(module, exportName)
  if (value === undefined) {
    const names = Object.keys(module).join(", ")
    throw new Error(`it has no export ${JSON.stringify(exportName)}${names === "" ? "" : `; it has ${names}`}`)
  }
  if (!isServable(value)) throw new Error(`its export ${JSON.stringify(exportName)} was not made by Task.worker`)
  if (value[workerKey] !== protocol) {
    throw new Error("it uses another version of effect-taskflow than the engine: install one version for both")
  }
  if (taskName !== undefined && value.taskName !== taskName) {
    throw new Error(`its export ${JSON.stringify(exportName)} is the worker of task ${JSON.stringify(value.taskName)}`)
  }
  return value
}

const sessions = new Map<Servable, Session>()

const sessionOf = async ({ context, module }: WorkerJob): Promise<Session> => {
  const served = await servable(module, context.taskName)
  const session = sessions.get(served) ?? served.serve(tell)
  sessions.set(served, session)
  return session
}

// ── attempts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

interface Current {
  readonly run: number
  session: Session | null
  interrupted: boolean
}

let current: Current | null = null

const tell = (message: FromWorker): void => {
  if (message._tag === "Ended") {
    current = null
    if (start.tellMemory) send({ _tag: "Memory", bytes: usedMemory() })
  }
  send(message)
}

const shown = (error: unknown): WorkerError => {
  try {
    return error instanceof Error
      ? { name: String(error.name), message: String(error.message), stack: String(error.stack ?? "") }
      : { name: typeof error, message: String(error), stack: "" }
  } catch {
    return { name: typeof error, message: "an error that cannot be shown", stack: "" }
  }
}

const notLoaded = ({ context, module }: WorkerJob, error: unknown): WorkerError => {
  const { message, name, stack } = shown(error)
  const reason = name === "Error" ? message : `${name}: ${message}`
  return {
    name: "WorkerModuleError",
    message: `the module ${module.url} of task ${JSON.stringify(context.taskName)} cannot be used: ${reason}`,
    stack
  }
}

const run = async (number: number, job: WorkerJob): Promise<void> => {
  const own: Current = { run: number, session: null, interrupted: false }
  current = own
  let session: Session
  try {
    session = await sessionOf(job)
  } catch (error) {
    const outcome = own.interrupted ? null : { _tag: "Defect" as const, final: false, shown: notLoaded(job, error) }
    return tell({ _tag: "Ended", run: number, outcome })
  }
  if (own.interrupted) return tell({ _tag: "Ended", run: number, outcome: null })
  own.session = session
  session.run(number, job)
}

const interrupt = (): void => {
  if (current === null) return
  current.interrupted = true
  current.session?.interrupt()
}

const close = async (): Promise<void> => {
  interrupt()
  await Promise.allSettled([...sessions.values()].map((session) => session.close()))
  process.exit(0)
}

const hear = (data: { readonly [mark]?: ToWorker } | null): void => {
  const message = data?.[mark]
  switch (message?._tag) {
    case "Load":
      // What cannot be loaded is said to the first attempt that needs it.
      for (const ref of message.modules) servable(ref).catch(() => {})
      return
    case "Run":
      void run(message.run, message.job)
      return
    case "Interrupt":
      if (current?.run === message.run) interrupt()
      return
    case "Close":
      void close()
      return
  }
}

// ── the life of this worker ──────────────────────────────────────────────────────────────────────────────────────────

process.on("uncaughtExceptionMonitor", (error: unknown) => send({ _tag: "Dying", error: shown(error) }))

// In a thread of its own: it notices that the parent is gone also while the main thread is busy.
const watchParent = `
const { workerData: parent } = require("node:worker_threads")
const isThere = () => {
  try {
    return process.kill(parent, 0)
  } catch (error) {
    return error.code !== "ESRCH"
  }
}
setInterval(() => {
  if (process.ppid !== parent || !isThere()) process.kill(process.pid, "SIGKILL")
}, 500)
`

if (port !== null) {
  port.on("message", hear)
} else {
  process.on("message", hear)
  process.on("disconnect", () => process.exit(0))
  // A terminal and a service manager send these to the whole group. The parent decides what they mean and tells its children.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})
  const resourceLimits = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 1 }
  new Worker(watchParent, { eval: true, workerData: start.parent, execArgv: [], resourceLimits }).unref()
}
send({ _tag: "Hello", protocol })
