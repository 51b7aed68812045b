/** The processes of a run: started, killed, started again; all gone when the scope ends. */
import { type ChildProcess, fork } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect } from "effect"
import type { FromWorker, Orders, ToWorker } from "./orders.js"

// Beside the supervisor, once `run.mjs` has bundled both.
const worker = fileURLToPath(new URL("worker.mjs", import.meta.url))

/** One process from its start to its end. */
export interface Life {
  readonly name: string
  readonly slot: number
  readonly child: ChildProcess
  readonly startedAt: number
  readyAt: number | null
  killedAt: number | null
  /** What it ended with; null while it lives. */
  end: string | null
}

export type Standing = Pick<
  Orders,
  "tasks" | "effects" | "lease" | "sameHost" | "over" | "atOnce" | "seed" | "schedule"
>

export interface FleetOptions extends Standing {
  readonly processes: number
  readonly count: number
  readonly files: string
  /** From when enqueueing is paced; null: from `go`. */
  readonly since: number | null
}

export class Fleet {
  readonly lives: Array<Life> = []
  /** Ends that nobody asked for. */
  readonly unexpected: Array<string> = []
  private since: number | null
  private stopping = false

  constructor(private readonly options: FleetOptions) {
    this.since = options.since
    for (let slot = 0; slot < options.processes; slot += 1) this.start(slot)
  }

  private acks(slot: number): string {
    return join(this.options.files, `acks-${slot}`)
  }

  /** Every acknowledged task of this slot: its id and whether it may run again. A line cut short was never told. */
  private acknowledgedBy(slot: number): ReadonlyArray<readonly [taskId: string, requeue: boolean]> {
    const file = this.acks(slot)
    if (!fs.existsSync(file)) return []
    const lines = fs.readFileSync(file, "utf8").split("\n")
    return lines.slice(0, -1).map((line) => {
      const [taskId = "", kind] = line.split(" ")
      return [taskId, kind === "again"] as const
    })
  }

  acknowledged(): ReadonlyArray<readonly [taskId: string, requeue: boolean]> {
    return Array.from({ length: this.options.processes }, (_, slot) => this.acknowledgedBy(slot)).flat()
  }

  /** How many slots each life said it passed over, as long as it could say so. */
  passedOver(): ReadonlyMap<string, number> {
    const said = new Map<string, number>()
    for (let slot = 0; slot < this.options.processes; slot += 1) {
      const file = `${this.acks(slot)}.slots`
      if (!fs.existsSync(file)) continue
      for (const line of fs.readFileSync(file, "utf8").split("\n").slice(0, -1)) {
        const [life = "", count] = line.split(" ")
        said.set(life, Number(count))
      }
    }
    return said
  }

  alive(): ReadonlyArray<Life> {
    return this.lives.filter(({ end }) => end === null)
  }

  /** What the processes printed, the last `lines` of each slot. */
  printed(lines: number): string {
    return Array.from({ length: this.options.processes }, (_, slot) => {
      const all = fs.readFileSync(join(this.options.files, `log-${slot}`), "utf8").trimEnd().split("\n")
      return [`── process ${slot}`, ...all.slice(-lines)].join("\n")
    }).join("\n")
  }

  private start(slot: number): void {
    const { count, files, processes, since: _, ...standing } = this.options
    const earlier = this.lives.filter((life) => life.slot === slot).length
    const name = `${slot}.${earlier}`
    const orders: Orders = {
      ...standing,
      slot,
      life: name,
      share: Math.floor(count / processes) + (slot < count % processes ? 1 : 0),
      acknowledged: this.acknowledgedBy(slot).length,
      since: this.since,
      acks: this.acks(slot),
      seed: standing.seed * 1_000_003 + slot * 1_009 + earlier
    }
    const log = fs.openSync(join(files, `log-${slot}`), "a")
    const child = fork(worker, [JSON.stringify(orders)], { stdio: ["ignore", log, log, "ipc"] })
    fs.closeSync(log)
    const life: Life = { name, slot, child, startedAt: Date.now(), readyAt: null, killedAt: null, end: null }
    this.lives.push(life)
    child.on("message", ({ _tag }: FromWorker) => {
      if (_tag === "Ready") life.readyAt = Date.now()
    })
    // A message to a process that died meanwhile: its end is what counts.
    child.on("error", () => undefined)
    child.on("exit", (code, signal) => {
      life.end = signal ?? String(code)
      if (this.stopping) return
      if (life.killedAt === null) this.unexpected.push(`process ${name} ended by itself: ${life.end}`)
      this.start(slot)
    })
  }

  /** The moment from which enqueueing is paced, told to all. */
  go(): void {
    const since = this.since = Date.now()
    for (const { child } of this.alive()) child.send({ _tag: "Go", since } satisfies ToWorker)
  }

  /** `kill -9`; whoever was killed is started again as soon as it is gone. */
  kill(life: Life): void {
    life.killedAt = Date.now()
    life.child.kill("SIGKILL")
  }

  /** Takes the processor away for a while: neither dead nor there. */
  freeze(life: Life, millis: number): void {
    life.child.kill("SIGSTOP")
    setTimeout(() => life.child.kill("SIGCONT"), millis)
  }

  /** Asks all to stop as an operator would, and waits. Whoever does not go is named. */
  async stop(signal: "SIGTERM" | "SIGKILL", millis: number): Promise<ReadonlyArray<string>> {
    this.stopping = true
    const all = this.alive()
    for (const { child } of all) child.kill(signal)
    const until = Date.now() + millis
    while (this.alive().length > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 20))
    const wrong = all.filter(({ end }) => end === null || signal === "SIGTERM" && end !== "0" && end !== "130")
    return wrong.map(({ end, name }) => `process ${name} on ${signal}: ${end ?? `still there after ${millis} ms`}`)
  }
}

export const make = (options: FleetOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => new Fleet(options)),
    (fleet) => Effect.promise(() => fleet.stop("SIGKILL", 5_000))
  )

/** Asks again and again until it is so; whether it became so in time. */
export const until = <E, R>(seconds: number, isSo: Effect.Effect<boolean, E, R>): Effect.Effect<boolean, E, R> =>
  Effect.suspend(() => {
    const last = Date.now() + seconds * 1_000
    const ask: Effect.Effect<boolean, E, R> = Effect.flatMap(isSo, (so) =>
      so || Date.now() > last
        ? Effect.succeed(so)
        : Effect.zipRight(Effect.sleep("100 millis"), Effect.suspend(() => ask)))
    return ask
  })
