/** Starts `process.ts` several times, and lets them begin at once when all of them are loaded. */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"

const script = fileURLToPath(new URL("process.ts", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const start = (args: ReadonlyArray<string>) => {
  const child = spawn(
    process.execPath,
    ["--conditions=@effect-taskflow/source", "--import", "tsx", script, ...args],
    { stdio: ["pipe", "pipe", "pipe"] }
  )
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
    Effect.sync(() => args.map(start)),
    (processes) =>
      Effect.promise(async () => {
        await Promise.all(processes.map(({ ready }) => ready))
        for (const { child } of processes) child.stdin.end("go\n")
        return Promise.all(processes.map(({ ended }) => ended))
      }),
    (processes) =>
      Effect.sync(() => {
        for (const { child } of processes) child.kill("SIGKILL")
      })
  )
