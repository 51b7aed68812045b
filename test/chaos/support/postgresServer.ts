/** A PostgreSQL of a run's own, on a free port, that may be stopped as if the power had failed. */
import { execFileSync } from "node:child_process"
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs"
import { createServer } from "node:net"
import { join } from "node:path"
import { Effect } from "effect"

export interface PostgresServer {
  readonly port: number
  readonly start: Effect.Effect<void>
  /** Without a checkpoint and without a word to its clients: what was committed has to come back out of the log. */
  readonly crash: Effect.Effect<void>
}

// Debian keeps the server's programs out of the PATH, a folder for each version.
const debian = "/usr/lib/postgresql"

const programs = (): string => {
  const folders = [
    ...(process.env["PATH"] ?? "").split(":"),
    ...existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")).reverse() : []
  ]
  const found = folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "pg_ctl")))
  if (found === undefined) throw new Error("no initdb and pg_ctl: install PostgreSQL's server, or put them on the PATH")
  return found
}

// The server refuses to run as root.
const owner = (): { readonly uid: number; readonly gid: number } | Record<string, never> => {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  return { uid: id("-u"), gid: id("-g") }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => typeof address === "object" && address !== null ? resolve(address.port) : reject(address))
    })
  })

/** Runs until the scope ends. `files`: a folder that goes then, too. */
export const make = (files: string) =>
  Effect.gen(function*() {
    const port = yield* Effect.promise(freePort)
    const bin = programs()
    const user = owner()
    const data = join(files, "postgres")
    mkdirSync(data)
    if (user.uid !== undefined) {
      // It has to pass through the folder above its own.
      chownSync(files, user.uid, user.gid)
      chownSync(data, user.uid, user.gid)
    }
    const run = (program: string, ...args: ReadonlyArray<string>) =>
      Effect.sync(() => {
        execFileSync(join(bin, program), args, { ...user, cwd: data, stdio: ["ignore", "ignore", "inherit"] })
      })
    const ctl = (...args: ReadonlyArray<string>) => run("pg_ctl", "-D", data, "-w", ...args)
    const start = ctl(
      "start",
      "-l",
      join(data, "server.log"),
      "-o",
      `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=${data}`
    )
    yield* run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8")
    yield* Effect.acquireRelease(start, () => Effect.catchAllCause(ctl("stop", "-m", "immediate"), () => Effect.void))
    return { port, start, crash: ctl("stop", "-m", "immediate") } satisfies PostgresServer
  })
