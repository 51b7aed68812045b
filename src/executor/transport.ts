/**
 * A thread and a process, as the same thing: it is started, hears and says messages, and ends once.
 */
import { fork } from "node:child_process"
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads"
import type { WorkerError } from "./job.js"
import { entry, mebibytes, processOptions, threadOptions } from "./launch.js"
import { read } from "./messages.js"
import { type FromWorker, mark, type ToWorker, type WorkerStart } from "./protocol.js"

export interface Settings {
  readonly kind: "thread" | "process"
  readonly memoryLimit: number | null
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly execArgv?: ReadonlyArray<string> | undefined
}

/** How it ended. `error` is what it died of, where that is known. */
export interface Death {
  readonly code: number | null
  readonly signal: string | null
  readonly error: WorkerError | null
}

/** What a transport calls: `ended` once, and nothing after it. */
export interface Heard {
  readonly message: (message: FromWorker) => void
  readonly ended: (death: Death) => void
}

export interface Transport {
  /** As people name it. */
  readonly name: string
  readonly send: (message: ToWorker) => void
  readonly kill: () => void
  /** Whether it keeps this process alive. It does from its start. */
  readonly hold: (held: boolean) => void
}

const environment = ({ env }: Settings): NodeJS.ProcessEnv | undefined =>
  env === undefined ? undefined : { ...process.env, ...env }

const shown = (error: Error): WorkerError => ({
  name: error.name,
  message: "code" in error ? `${error.message} (${String(error.code)})` : error.message,
  stack: error.stack ?? ""
})

// The thread has a port of its own: what the application posts to its parent is not heard here.
const thread = (settings: Settings, heard: Heard): Transport => {
  const { memoryLimit } = settings
  const { port1: port, port2 } = new MessageChannel()
  const start: WorkerStart = { parent: process.pid, tellMemory: memoryLimit !== null }
  const execArgv = threadOptions(settings.execArgv)
  const worker = new Worker(entry, {
    workerData: { [mark]: { ...start, port: port2 } },
    transferList: [port2],
    env: environment(settings),
    ...execArgv === undefined ? {} : { execArgv: [...execArgv] },
    ...memoryLimit === null ? {} : { resourceLimits: { maxOldGenerationSizeMb: mebibytes(memoryLimit) } }
  })
  const hear = (data: unknown): void => {
    const message = read(data)
    if (message !== null) heard.message(message)
  }
  let error: WorkerError | null = null
  port.on("message", hear)
  worker.on("error", (thrown: unknown) => {
    error = thrown instanceof Error ? shown(thrown) : { name: typeof thrown, message: String(thrown), stack: "" }
  })
  worker.on("exit", (code) => {
    // What it said last may still be on its way.
    for (let last = receiveMessageOnPort(port); last !== undefined; last = receiveMessageOnPort(port)) {
      hear(last.message)
    }
    port.close()
    heard.ended({ code, signal: null, error })
  })
  return {
    name: `thread ${worker.threadId}`,
    send: (message) => port.postMessage({ [mark]: message }),
    kill: () => void worker.terminate(),
    hold: (held) => {
      if (held) {
        worker.ref()
        port.ref()
      } else {
        worker.unref()
        port.unref()
      }
    }
  }
}

// Milliseconds from the end of a process to the end of its channel: what it said last is read in between.
const lastWords = 250

// Its output is this process's output: nothing is kept of it here.
const child = (settings: Settings, heard: Heard): Transport => {
  const start: WorkerStart = { parent: process.pid, tellMemory: settings.memoryLimit !== null }
  const forked = fork(entry, [JSON.stringify(start)], {
    execArgv: [...processOptions(settings.execArgv, settings.memoryLimit)],
    env: environment(settings),
    serialization: "advanced",
    stdio: ["ignore", "inherit", "inherit", "ipc"]
  })
  let death: Death | null = null
  let over = false
  const end = (): void => {
    if (over || death === null) return
    over = true
    heard.ended(death)
  }
  forked.on("message", (data) => {
    const message = over ? null : read(data)
    if (message !== null) heard.message(message)
  })
  forked.on("error", (error) => {
    // Any other is about a message or a signal that came too late.
    if (forked.pid !== undefined) return
    death = { code: null, signal: null, error: shown(error) }
    end()
  })
  forked.on("disconnect", end)
  forked.on("exit", (code, signal) => {
    death = { code, signal, error: null }
    if (!forked.connected) return end()
    setTimeout(end, lastWords)
  })
  return {
    name: `process ${forked.pid ?? "that did not start"}`,
    send: (message) => {
      if (forked.connected) forked.send({ [mark]: message }, () => {})
    },
    kill: () => void forked.kill("SIGKILL"),
    hold: (held) => {
      if (held) {
        forked.ref()
        forked.channel?.ref()
      } else {
        forked.unref()
        forked.channel?.unref()
      }
    }
  }
}

// What cannot even be tried (an option that a thread does not take, no memory for a process) ends as one that died at once.
const stillborn = (thrown: unknown, heard: Heard): Transport => {
  const error = thrown instanceof Error ? shown(thrown) : { name: typeof thrown, message: String(thrown), stack: "" }
  setImmediate(() => heard.ended({ code: null, signal: null, error }))
  return { name: "worker that could not be made", send: () => {}, kill: () => {}, hold: () => {} }
}

export const start = (settings: Settings, heard: Heard): Transport => {
  try {
    return settings.kind === "thread" ? thread(settings, heard) : child(settings, heard)
  } catch (thrown) {
    return stillborn(thrown, heard)
  }
}
