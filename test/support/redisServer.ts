/** A Redis of a test's own, on a free port, set up as the test wants it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { type AddressInfo, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, type Scope } from "effect"

/** Whether the program is there. Not there, its tests are skipped and one line says so; with `CI=true` they run, and fail. */
export const hasRedisServer = (): boolean => {
  if (process.env["CI"] === "true" || spawnSync("redis-server", ["--version"]).status === 0) return true
  process.stderr.write("\nSKIPPED: no redis-server on the PATH, tests that need a Redis of their own do not run.\n\n")
  return false
}

export interface RedisServer {
  readonly where: { readonly host: string; readonly port: number }
  /** As `kill -9` does; what it has on disk stays. */
  readonly kill: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo // safe: it listens on a port
  server.close()
  await once(server, "close")
  return port
}

const ended = (child: ChildProcess): Promise<unknown> =>
  child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, "exit")

/** Runs until the scope ends. */
export const redisServer = (...settings: ReadonlyArray<string>): Effect.Effect<RedisServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const port = yield* Effect.promise(freePort)
    const dir = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "taskflow-redis-"))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
    )
    let child: ChildProcess | null = null
    const start = Effect.promise(async () => {
      const args = ["--port", String(port), "--bind", "127.0.0.1", "--dir", dir, "--save", "", ...settings]
      const started = child = spawn("redis-server", args, { stdio: ["ignore", "pipe", "ignore"] })
      let said = ""
      for await (const chunk of started.stdout) {
        if ((said += String(chunk)).includes("Ready to accept connections")) break
      }
      started.stdout.resume()
    })
    const kill = Effect.promise(async () => {
      if (child === null) return
      child.kill("SIGKILL")
      await ended(child)
    })
    yield* Effect.acquireRelease(start, () => kill)
    return { where: { host: "127.0.0.1", port }, kill, start }
  })
