/**
 * Hints as a bad network would tell them: each one that is heard is told again, several times, late, and in another order.
 *
 * Hints are what wakes instances: pub/sub on Redis, NOTIFY on PostgreSQL. SQLite and MySQL have none, their instances look; there is
 * nothing to tell twice there.
 */
import { Effect, type Scope } from "effect"
import { Redis } from "ioredis"
import { Client } from "pg"
import { random } from "./random.js"

/** Whose hints: the prefix is that of the backend. */
export interface HintPlace {
  readonly kind: "redis" | "postgres"
  readonly host: string
  readonly port: number
  readonly prefix: string
  /** PostgreSQL. */
  readonly database?: string
  readonly username?: string
}

export interface Echoes {
  /** How many were told again by now. */
  readonly told: Effect.Effect<number>
}

/** A way to hear all and to tell. */
interface Line {
  readonly hear: (heard: (message: string) => void) => Promise<unknown>
  readonly tell: (message: string) => Promise<unknown>
  readonly close: () => Promise<unknown>
}

const redisLine = ({ host, port, prefix }: HintPlace): Line => {
  const channel = `{${prefix}}:hints:0`
  const [ears, mouth] = [new Redis({ host, port }), new Redis({ host, port })]
  for (const client of [ears, mouth]) client.on("error", () => undefined)
  return {
    hear: (heard) => ears.on("message", (_, message) => heard(message)).subscribe(channel),
    tell: (message) => mouth.publish(channel, message),
    close: async () => {
      for (const client of [ears, mouth]) client.disconnect()
    }
  }
}

const postgresLine = ({ database = "postgres", host, port, prefix, username = "postgres" }: HintPlace): Line => {
  const channel = `${prefix}live_hints`
  const client = new Client({ host, port, database, user: username }).on("error", () => undefined)
  let last: Promise<unknown> = Promise.resolve()
  return {
    hear: async (heard) => {
      client.on("notification", ({ payload }) => heard(payload ?? ""))
      await client.connect()
      await client.query(`LISTEN ${channel}`)
    },
    // One after the other: the driver wants it so.
    tell: (message) => {
      const told = last.then(() => client.query("SELECT pg_notify($1, $2)", [channel, message]))
      last = told.catch(() => undefined)
      return told
    },
    close: () => client.end()
  }
}

/** Until the scope ends, or the server does. `copies` of each, up to `latest` milliseconds later (3, and 200). */
export const echoHints = (
  place: HintPlace,
  { copies = 3, latest = 200, seed = 1 } = {}
): Effect.Effect<Echoes, Error, Scope.Scope> =>
  Effect.gen(function*() {
    const line = place.kind === "redis" ? redisLine(place) : postgresLine(place)
    const next = random(seed)
    const timers = new Set<NodeJS.Timeout>()
    // What we told ourselves is heard here too, word for word: it is not told again.
    const own = new Map<string, number>()
    let told = 0
    const tell = (message: string): void => {
      own.set(message, (own.get(message) ?? 0) + 1)
      told += 1
      line.tell(message).catch(() => undefined)
    }
    const heard = (message: string): void => {
      const ours = own.get(message) ?? 0
      if (ours > 0) return void (ours === 1 ? own.delete(message) : own.set(message, ours - 1))
      for (let copy = 0; copy < copies; copy += 1) {
        const timer = setTimeout(() => {
          timers.delete(timer)
          tell(message)
        }, next() * latest)
        timers.add(timer)
      }
    }
    yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => line.hear(heard), catch: (error) => new Error(`no hints to hear: ${error}`) }),
      () =>
        Effect.promise(async () => {
          for (const timer of timers) clearTimeout(timer)
          await line.close().catch(() => undefined)
        })
    )
    return { told: Effect.sync(() => told) }
  })
