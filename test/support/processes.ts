/** Starts `process.ts` several times, and lets them begin at once when all of them are loaded. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { rmSync } from "node:fs"
import { Effect } from "effect"
import { bundle, bundleFolder } from "./bundle.js"

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const start = (script: string, args: ReadonlyArray<string>) => {
  const child = spawn(process.execPath, [script, ...args], { stdio: ["pipe", "pipe", "pipe"] })
  let stdout = ""
  let stderr = ""
  child.stderr.on("data", (data: Buffer) => stderr += data.toString())
  const ready = new Promise<void>((resolve) =>
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString()
      if (stdout.startsWith("ready")) resolve()
    })
  )
  const ended = once(child, "close").then(([code]): Ended => ({ code, stdout: stdout.slice("ready\n".length), stderr }))
  return { child, ended, ready: Promise.race([ready, ended]) }
}

/** One process for each list of arguments; what each said. */
export const atOnce = (args: ReadonlyArray<ReadonlyArray<string>>): Effect.Effect<ReadonlyArray<Ended>> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const folder = bundleFolder()
      const script = bundle("test/support/process.ts", folder)
      return { folder, processes: args.map((some) => start(script, some)) }
    }),
    ({ processes }) =>
      Effect.promise(async () => {
        await Promise.all(processes.map(({ ready }) => ready))
        for (const { child } of processes) child.stdin.end("go\n")
        return Promise.all(processes.map(({ ended }) => ended))
      }),
    ({ folder, processes }) =>
      Effect.sync(() => {
        for (const { child } of processes) child.kill("SIGKILL")
        rmSync(folder, { recursive: true, force: true })
      })
  )
