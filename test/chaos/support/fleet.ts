/** The processes of a run, looked after as a process manager would: who ends is started again. All gone when the scope ends. */
import { type ChildProcess, fork } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import type { FromWorker, Orders, ToWorker } from "./orders.js"
import type { SqliteFault } from "./sqliteFaults.js"
import { realNow } from "./witness.js"

// Beside the supervisor, once `run.mjs` has bundled all of them.
const beside = (name: string) => new URL(name, import.meta.url)

/** How long a process may take to stop when it is asked to, in milliseconds. */
const patience = 30_000

/** How a process of this slot is to be started from now on. */
export interface Ways {
  readonly deployment: Orders["deployment"]
  /** Milliseconds its clock is ahead. */
  readonly skew: number
}

/** One process from its start to its end. Times: epoch milliseconds of this machine. */
export interface Life extends Ways {
  readonly name: string
  readonly slot: number
  readonly child: ChildProcess
  readonly startedAt: number
  readyAt: number | null
  endedAt: number | null
  /** What somebody did to it that ends a process. */
  asked: "SIGKILL" | "SIGTERM" | null
  askedAt: number | null
  /** What it ended with; null while it lives. */
  end: string | null
}

export type Standing = Pick<Orders, "place" | "files" | "lease" | "sameHost" | "rate" | "every" | "seed">

export interface FleetOptions extends Standing {
  /** How many enqueue and work; one more follows the feed, as the last slot. */
  readonly workers: number
}

const usual: Ways = { deployment: "both", skew: 0 }

export class Fleet {
  readonly lives: Array<Life> = []
  readonly problems: Array<string> = []
  private readonly ways = new Map<number, Ways>()
  private disk: SqliteFault = "none"
  private gone = false
  private quiet = false
  private stopping = false

  constructor(private readonly options: FleetOptions) {
    for (let slot = 0; slot <= options.workers; slot += 1) this.start(slot)
  }

  /** The slot of the one that follows the feed. */
  get follower(): number {
    return this.options.workers
  }

  alive(): ReadonlyArray<Life> {
    return this.lives.filter(({ end }) => end === null)
  }

  /** The process of this slot; null for the moment between two lives. */
  at(slot: number): Life | null {
    return this.lives.find((life) => life.slot === slot && life.end === null) ?? null
  }

  areReady(): boolean {
    const ready = this.alive().filter(({ readyAt }) => readyAt !== null)
    return ready.length > this.options.workers
  }

  private lastWords(slot: number, lines: number): ReadonlyArray<string> {
    return fs.readFileSync(join(this.options.files, `log-${slot}`), "utf8").trimEnd().split("\n").slice(-lines)
  }

  /** What the processes printed, the last `lines` of each slot. */
  printed(lines: number): string {
    return Array.from(
      { length: this.options.workers + 1 },
      (_, slot) => [`── process ${slot}`, ...this.lastWords(slot, lines)].join("\n")
    ).join("\n")
  }

  private start(slot: number): void {
    const { workers, ...standing } = this.options
    const earlier = this.lives.filter((life) => life.slot === slot).length
    const name = `${slot}.${earlier}`
    const ways = this.ways.get(slot) ?? usual
    const orders: Orders = {
      ...standing,
      role: slot === workers ? "follower" : "worker",
      deployment: ways.deployment,
      slot,
      life: name,
      rate: this.quiet ? 0 : standing.rate,
      seed: standing.seed * 1_000_003 + slot * 1_009 + earlier,
      disk: this.disk,
      waits: !this.gone
    }
    const log = fs.openSync(join(standing.files, `log-${slot}`), "a")
    const child = fork(fileURLToPath(beside("app.mjs")), [JSON.stringify(orders)], {
      stdio: ["ignore", log, log, "ipc"],
      execArgv: ["--import", beside("skew.mjs").href],
      env: { ...process.env, CHAOS_SKEW: String(ways.skew) }
    })
    fs.closeSync(log)
    const life: Life = {
      ...ways,
      name,
      slot,
      child,
      startedAt: realNow(),
      readyAt: null,
      endedAt: null,
      asked: null,
      askedAt: null,
      end: null
    }
    this.lives.push(life)
    child.on("message", ({ _tag }: FromWorker) => {
      if (_tag === "Ready") life.readyAt = realNow()
    })
    // A message to a process that died meanwhile: its end is what counts.
    child.on("error", () => undefined)
    child.on("exit", (code, signal) => {
      life.end = signal ?? String(code)
      life.endedAt = realNow()
      if (life.asked === null && life.readyAt !== null) {
        this.problems.push(`process ${name} ended by itself: ${life.end}`)
      }
      if (life.asked === "SIGTERM" && life.end !== "0" && life.end !== "130" && life.readyAt !== null) {
        this.problems.push(`process ${name} was asked to stop and ended with ${life.end}`)
      }
      if (this.stopping) return
      // One that cannot start is tried again, but not in a circle.
      setTimeout(() => this.stopping ? undefined : this.start(slot), life.readyAt === null ? 500 : 50)
    })
  }

  /** Lives that ended before they were ready though nobody asked them to: what they wanted was not there. */
  failedStarts(): ReadonlyArray<Life> {
    return this.lives.filter(({ asked, end, readyAt }) => end !== null && asked === null && readyAt === null)
  }

  private tell(life: Life | null, message: ToWorker): void {
    if (life !== null && life.child.connected) life.child.send(message)
  }

  go(): void {
    this.gone = true
    for (const life of this.alive()) this.tell(life, { _tag: "Go" })
  }

  /** From now on nobody enqueues. */
  hush(): void {
    this.quiet = true
    for (const life of this.alive()) this.tell(life, { _tag: "Quiet" })
  }

  /** `kill -9`. */
  kill(slot: number): void {
    const life = this.at(slot)
    if (life === null) return
    life.asked = "SIGKILL"
    life.askedAt = realNow()
    life.child.kill("SIGKILL")
  }

  /** Takes the processor away: neither dead nor there. */
  freeze(slot: number): Life | null {
    const life = this.at(slot)
    life?.child.kill("SIGSTOP")
    return life
  }

  thaw(life: Life | null): void {
    life?.child.kill("SIGCONT")
  }

  block(slot: number, millis: number): void {
    this.tell(this.at(slot), { _tag: "Block", millis })
  }

  /** What the disk of all processes does from now on. */
  setDisk(fault: SqliteFault): void {
    this.disk = fault
    for (const life of this.alive()) this.tell(life, { _tag: "Disk", fault })
  }

  /** Asks the process of this slot to stop as an operator would; the next one is started these ways. */
  restart(slot: number, ways: Ways = usual): Effect.Effect<void> {
    return Effect.gen(this, function*() {
      this.ways.set(slot, ways)
      const life = this.at(slot)
      if (life === null) return
      yield* Effect.promise(() => this.end(life))
      yield* until(patience / 1_000, Effect.sync(() => typeof this.at(slot)?.readyAt === "number"))
    })
  }

  private async end(life: Life): Promise<void> {
    // Once: the second one ends a process on the spot, as an operator who is impatient means it.
    if (life.asked === null) life.child.kill("SIGTERM")
    life.asked ??= "SIGTERM"
    life.askedAt ??= realNow()
    const last = realNow() + patience
    while (life.end === null && realNow() < last) await new Promise((resolve) => setTimeout(resolve, 20))
    if (life.end !== null) return
    const starting = life.readyAt === null ? ", it was still starting" : ""
    this.problems.push(
      `process ${life.name} was asked to stop and is still there ${patience} ms later${starting}; its last words:\n` +
        this.lastWords(life.slot, 12).join("\n")
    )
    life.child.kill("SIGKILL")
  }

  /** Ends all of them. */
  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    this.stopping = true
    if (signal === "SIGTERM") await Promise.all(this.alive().map((life) => this.end(life)))
    for (const life of this.alive()) life.child.kill("SIGKILL")
    while (this.alive().length > 0) await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

export const make = (options: FleetOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => new Fleet(options)),
    (fleet) => Effect.promise(() => fleet.stop("SIGKILL"))
  )

/** Asks again and again until it is so; whether it became so in time. */
export const until = <E, R>(seconds: number, isSo: Effect.Effect<boolean, E, R>): Effect.Effect<boolean, E, R> =>
  Effect.suspend(() => {
    const last = realNow() + seconds * 1_000
    const ask: Effect.Effect<boolean, E, R> = Effect.flatMap(isSo, (so) =>
      so || realNow() > last
        ? Effect.succeed(so)
        : Effect.zipRight(Effect.sleep("100 millis"), Effect.suspend(() => ask)))
    return ask
  })
