/**
 * Servers of a run's own, on free ports, with their files in folders of their own: stopped, killed and started again as a run likes.
 *
 * They are set so that a commit is on the disk when it is answered (Redis: once a second unless told otherwise), so that what
 * `kill` takes is no more than what a crash may take. Only processes that were started here are ended.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process"
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { Effect, type Scope } from "effect"

export const serverKinds = ["postgres", "mysql", "redis"] as const
export type ServerKind = typeof serverKinds[number]

export interface Server {
  readonly kind: ServerKind
  readonly host: string
  /** Stays the same from one start to the next. */
  readonly port: number
  readonly url: string
  /** As an operator stops it: what it still has to write is written. */
  readonly stop: Effect.Effect<void, Error>
  /** As `kill -9` of all its processes at once: without a word to its clients, and without a last write. */
  readonly kill: Effect.Effect<void, Error>
  /** Until it takes connections, after whatever recovery it needs. Does nothing while it runs. */
  readonly start: Effect.Effect<void, Error>
}

export interface ServerOptions {
  /** Redis: when what was answered is on the disk. Default `everysec`: a crash of the machine takes a second, `kill` nothing. */
  readonly appendfsync?: "everysec" | "always"
}

// Milliseconds. An empty database takes two seconds on a quiet machine.
const patience = { prepare: 60_000, start: 60_000, stop: 20_000, kill: 10_000 }

interface Program {
  readonly file: string
  readonly args: ReadonlyArray<string>
  /** Its last word before it takes connections. */
  readonly ready: RegExp
  readonly asksToStop: NodeJS.Signals
  readonly user: { readonly uid?: number; readonly gid?: number }
  readonly url: string
  readonly prepare: () => Promise<unknown>
}

const run = promisify(execFile)

const isRoot = process.getuid?.() === 0

// Debian keeps PostgreSQL's programs out of the PATH, a folder for each version, and MariaDB's where only root looks.
const debian = "/usr/lib/postgresql"

const find = (...programs: ReadonlyArray<string>): string | undefined =>
  [
    ...(process.env["PATH"] ?? "").split(":"),
    ...existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")).reverse() : [],
    "/usr/sbin",
    "/usr/local/sbin"
  ].find((folder) => programs.every((program) => existsSync(join(folder, program))))

const needed = (what: string, ...programs: ReadonlyArray<string>): string => {
  const folder = find(...programs)
  if (folder === undefined) throw new Error(`no ${programs.join(" and ")}: install ${what}, or put it on the PATH`)
  return folder
}

// ── the three of them ────────────────────────────────────────────────────────────────────────────────────────────────

type Make = (place: { readonly files: string; readonly port: number }, options: ServerOptions) => Program

const postgres: Make = ({ files, port }) => {
  const bin = needed("PostgreSQL's server", "initdb", "postgres")
  // It refuses to run as root.
  const id = (flag: string) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }))
  const user = isRoot ? { uid: id("-u"), gid: id("-g") } : {}
  const data = join(files, "data")
  const settings = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: files,
    fsync: "on",
    synchronous_commit: "on",
    logging_collector: "off"
  }
  return {
    file: join(bin, "postgres"),
    args: ["-D", data, "-p", `${port}`, ...Object.entries(settings).flatMap(([key, to]) => ["-c", `${key}=${to}`])],
    ready: /database system is ready to accept connections/,
    // Its clients are sent away; the default would wait for them.
    asksToStop: "SIGINT",
    user,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    prepare: () => {
      if (user.uid !== undefined) chownSync(files, user.uid, user.gid)
      const args = ["-D", data, "-U", "postgres", "-A", "trust", "--locale=C", "-E", "UTF8", "--no-sync"]
      return run(join(bin, "initdb"), args, { ...user, cwd: files, timeout: patience.prepare })
    }
  }
}

const mysql: Make = ({ files, port }) => {
  const bin = needed("MariaDB's server", "mariadbd")
  const prepares = needed("MariaDB's server", "mariadb-install-db")
  const data = join(files, "data")
  const common = ["--no-defaults", `--datadir=${data}`, ...isRoot ? ["--user=root"] : []]
  return {
    file: join(bin, "mariadbd"),
    args: [
      ...common,
      `--port=${port}`,
      `--socket=${join(files, "socket")}`,
      `--pid-file=${join(files, "pid")}`,
      "--bind-address=127.0.0.1",
      "--innodb-flush-log-at-trx-commit=1",
      "--innodb-doublewrite=ON",
      "--innodb-buffer-pool-size=64M",
      "--skip-name-resolve"
    ],
    ready: /ready for connections/,
    asksToStop: "SIGTERM",
    user: {},
    url: `mysql://root@127.0.0.1:${port}/test`,
    prepare: async () => {
      mkdirSync(data)
      const how = ["--auth-root-authentication-method=normal", "--skip-log-bin"]
      await run(join(prepares, "mariadb-install-db"), [...common, ...how], { timeout: patience.prepare })
    }
  }
}

const redis: Make = ({ files, port }, { appendfsync = "everysec" }) => ({
  file: join(needed("Redis", "redis-server"), "redis-server"),
  args: [
    ...["--port", `${port}`, "--bind", "127.0.0.1", "--dir", files, "--save", ""],
    ...["--appendonly", "yes", "--appendfsync", appendfsync]
  ],
  ready: /Ready to accept connections/,
  asksToStop: "SIGTERM",
  user: {},
  url: `redis://127.0.0.1:${port}`,
  prepare: () => Promise.resolve()
})

const makers = { postgres, mysql, redis } satisfies Record<ServerKind, Make>

/** Whether this machine can start such a server. */
export const hasServer = (kind: ServerKind): boolean => {
  switch (kind) {
    case "postgres":
      return find("initdb", "postgres") !== undefined
    case "mysql":
      return find("mariadbd") !== undefined && find("mariadb-install-db") !== undefined
    case "redis":
      return find("redis-server") !== undefined
  }
}

// ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false))
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)))
  })

// Below those that the kernel gives to whoever connects: one of these could be taken while the server is away, even by the very
// client that asks whether it is back.
const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (await isFree(port)) return port
  }
  throw new Error("no free port between 20000 and 32000")
}

/** Parent and state of a process; null when there is none, or no such way to ask. */
const look = (pid: number): { readonly parent: number; readonly isGone: boolean } | null => {
  try {
    // Behind the name, which may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ")
    return { parent: Number(parent), isGone: state === "Z" || state === "X" }
  } catch {
    return null
  }
}

const childrenOf = (pid: number): ReadonlyArray<number> =>
  existsSync("/proc")
    ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((one) => look(one)?.parent === pid)
    : []

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name)
  } catch {
    // Gone already.
  }
}

const within = async (millis: number, otherwise: () => Error, holds: () => boolean): Promise<void> => {
  const last = Date.now() + millis
  while (!holds()) {
    if (Date.now() > last) throw otherwise()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** One server of a program: at most one process (with those it starts itself) at a time. */
class Process {
  private child: ChildProcess | null = null
  private said = ""

  constructor(private readonly kind: ServerKind, private readonly program: Program) {}

  private isRunning(): boolean {
    const { child } = this
    return child !== null && child.pid !== undefined && child.exitCode === null && child.signalCode === null
  }

  private wrong(what: string): () => Error {
    return () => new Error(`${this.kind} ${what}: ${this.said.slice(-2_000)}`)
  }

  async start(): Promise<void> {
    if (this.isRunning()) return
    const { args, file, ready, user } = this.program
    this.said = ""
    const child = this.child = spawn(file, args, { ...user, stdio: ["ignore", "pipe", "pipe"] })
    const hear = (bytes: Buffer) => {
      this.said = (this.said + String(bytes)).slice(-20_000)
    }
    child.on("error", (error) => hear(Buffer.from(error.message)))
    for (const stream of [child.stdout, child.stderr]) stream.on("data", hear)
    const isSettled = () => ready.test(this.said) || !this.isRunning()
    try {
      await within(patience.start, this.wrong("did not start"), isSettled)
      if (!this.isRunning()) throw this.wrong("ended by itself")()
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  async stop(): Promise<void> {
    if (!this.isRunning()) return
    signal(this.child!.pid!, this.program.asksToStop)
    try {
      await within(patience.stop, this.wrong("did not stop"), () => !this.isRunning())
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  /** At once, for the end of this process: nobody waits any more. */
  killNow(): ReadonlyArray<number> {
    if (!this.isRunning()) return []
    const pid = this.child!.pid!
    // It starts nothing while its processes are counted, and none of them sees it go before it goes itself.
    signal(pid, "SIGSTOP")
    const children = childrenOf(pid)
    for (const one of [...children, pid]) signal(one, "SIGKILL")
    return children
  }

  async kill(): Promise<void> {
    const children = this.killNow()
    await within(
      patience.kill,
      this.wrong("outlived SIGKILL"),
      () => !this.isRunning() && children.every((pid) => look(pid)?.isGone ?? true)
    )
  }
}

/** Empty, and running until the scope ends: then its processes and its files are gone. */
export const startServer = (
  kind: ServerKind,
  options: ServerOptions = {}
): Effect.Effect<Server, Error, Scope.Scope> =>
  Effect.gen(function*() {
    // safe: everything here throws errors
    const attempt = <A>(what: () => Promise<A>) => Effect.tryPromise({ try: what, catch: (error) => error as Error })
    const files = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), `taskflow-${kind}-`))),
      (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }))
    )
    const port = yield* attempt(freePort)
    const program = yield* attempt(async () => makers[kind]({ files, port }, options))
    const server = new Process(kind, program)
    yield* attempt(program.prepare)
    const atExit = () => void server.killNow()
    yield* Effect.acquireRelease(
      Effect.zipRight(Effect.sync(() => process.once("exit", atExit)), attempt(() => server.start())),
      () =>
        Effect.zipRight(
          Effect.sync(() => process.off("exit", atExit)),
          Effect.orDie(attempt(() => server.kill()))
        )
    )
    return {
      kind,
      host: "127.0.0.1",
      port,
      url: program.url,
      stop: attempt(() => server.stop()),
      kill: attempt(() => server.kill()),
      start: attempt(() => server.start())
    }
  })
