/**
 * One connection for commands: opened once, opened again by itself with growing waits, and never waited for.
 *
 * Without a connection a command fails at once. One that was under way when the connection broke fails too, and is not sent
 * again by the driver: whether it was applied is for the caller to find out. The driver's own errors carry the arguments of
 * their command, so none of them leaves here: what does is their words.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Redis, type RedisOptions } from "ioredis"
import { RedisProblem } from "./problem.js"
import type { Reply, Script } from "./script.js"
import { subscribe, type Subscriber } from "./subscriber.js"

export interface Connection {
  /** What every key begins with: one hash tag, so that all of them are in one slot. */
  readonly root: string
  readonly run: <Request, Answer>(
    script: Script<Request, Answer>,
    request: Request
  ) => Effect.Effect<Answer, RedisProblem>
  readonly command: (name: string, ...args: ReadonlyArray<string>) => Effect.Effect<Reply, RedisProblem>
  /** Not waited for: what fails is lost. */
  readonly send: (name: string, ...args: ReadonlyArray<string>) => void
  /** The number of the database. */
  readonly db: number
  /** On a connection of its own, while the scope is open. */
  readonly subscribe: (
    channel: string,
    hear: (message: string) => void
  ) => Effect.Effect<Subscriber, RedisProblem, Scope.Scope>
}

// Longer than any command takes on a server that answers, in milliseconds.
const longestSilence = 15_000
const connectTimeout = 10_000
const longestPause = 2_000

/** What a connection of the engine must be, whatever else is asked for. */
const engine: RedisOptions = {
  lazyConnect: true,
  // In front of a broken connection commands fail, they do not pile up; those under way are told at once.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout,
  socketTimeout: longestSilence,
  keepAlive: 10_000,
  connectionName: "effect-taskflow",
  disableClientInfo: true,
  enableReadyCheck: true,
  // What an application's client may have on, and what would change names of keys, numbers and the order of commands here.
  keyPrefix: "",
  stringNumbers: false,
  enableAutoPipelining: false,
  retryStrategy: (times) => Math.min(longestPause, 25 * 2 ** Math.min(times, 10)) * (0.5 + Math.random() / 2),
  // A primary that became a replica: the next connection may find the new one.
  reconnectOnError: (error) => error.message.includes("READONLY")
}

const permanent = /WRONGTYPE|is there already/

const wordsOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** A connection of its own with these options, or with those of `redis`. */
export const open = (
  options: RedisOptions | Redis,
  root: string
): Effect.Effect<Connection, RedisProblem, Scope.Scope> =>
  Effect.gen(function*() {
    let trouble: string | null = null
    const client = options instanceof Redis ? options.duplicate(engine) : new Redis({ ...options, ...engine })
    client.on("error", (error) => {
      trouble = wordsOf(error)
    })
    client.on("ready", () => {
      trouble = null
    })
    yield* Effect.addFinalizer(() => Effect.sync(() => client.disconnect()))

    const problem = (error: unknown): RedisProblem => {
      const words = wordsOf(error)
      // The driver's words for a broken connection speak of its own options.
      if (/writeable|max retries|Connection is closed|aborted due to/.test(words)) {
        return new RedisProblem(`there is no connection to Redis${trouble === null ? "" : `: ${trouble}`}`)
      }
      return new RedisProblem(words, permanent.test(words))
    }
    const asked = (ask: () => Promise<unknown>): Effect.Effect<Reply, RedisProblem> =>
      Effect.async((resume) => {
        ask().then(
          (reply) => resume(Effect.succeed(reply as Reply)), // safe: what RESP has, without options that change it
          (error: unknown) => resume(Effect.fail(problem(error)))
        )
      })

    yield* Effect.tryPromise({ try: () => client.connect(), catch: problem })
    // The driver asks for the database too, and goes on in database 0 when there is none of that number.
    const { db = 0 } = client.options
    if (db !== 0) yield* asked(() => client.select(db))

    const evaluate = (script: Script<never, unknown>, args: ReadonlyArray<string>) =>
      client.call("EVALSHA", [script.sha, "1", root, ...args]).catch((error: unknown) => {
        if (!wordsOf(error).includes("NOSCRIPT")) throw error
        // Nothing ran: the server does not know the script yet, or does no more.
        return client.call("EVAL", [script.lua, "1", root, ...args])
      })

    return {
      root,
      run: (script, request) => Effect.map(asked(() => evaluate(script, script.args(request))), script.answer),
      command: (name, ...args) => asked(() => client.call(name, [...args])),
      send: (name, ...args) => {
        client.call(name, [...args]).catch(() => undefined)
      },
      db,
      subscribe: (channel, hear) => subscribe(client, channel, hear)
    }
  })
