/**
 * A connection of our own that hears NOTIFY, and sends it. The client's `listen` stays silent for ever once its connection
 * broke, and its `notify` never worked.
 */
import { createRequire } from "node:module"
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"

/** What we use of a connection of `pg`. */
interface Connection {
  readonly connect: () => Promise<unknown>
  readonly query: (text: string, values?: ReadonlyArray<string>) => Promise<unknown>
  readonly end: () => Promise<unknown>
  readonly on: (
    event: "error" | "end" | "notification",
    listener: (told: { readonly payload?: string }) => void
  ) => unknown
}

/** What a PgClient was made with, as far as a connection needs it. */
export interface Config {
  readonly url?: Redacted.Redacted | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly database?: string | undefined
  readonly username?: string | undefined
  readonly password?: Redacted.Redacted | undefined
  readonly ssl?: unknown
  readonly stream?: unknown
  readonly applicationName?: string | undefined
}

export interface Listener {
  /** Tells all who listen on the channel, this one too. Not waited for; what fails is lost, like any hint. */
  readonly notify: (payload: string) => void
  /** Fails when the connection is lost. */
  readonly lost: Effect.Effect<never, unknown>
}

// The copy that the client itself uses, wherever the package manager put it.
const load = (): (new(options: object) => Connection) | null => {
  try {
    const ofClient = createRequire(import.meta.url).resolve("@effect/sql-pg/package.json")
    return createRequire(ofClient)("pg").Client
  } catch {
    return null
  }
}

/** How to reach the server that a client is of; null where the client does not show it, or has another driver. */
export const configOf = (client: SqlClient): Config | null => {
  // safe: PgClient shows what it was made with; others do not
  const { config } = client as { readonly config?: Config | undefined }
  return config === undefined || load() === null ? null : config
}

const optionsOf = (config: Config) => ({
  ...config.url === undefined ? {} : { connectionString: Redacted.value(config.url) },
  host: config.host,
  port: config.port,
  user: config.username,
  database: config.database,
  password: config.password === undefined ? undefined : Redacted.value(config.password),
  ssl: config.ssl,
  ...config.stream === undefined ? {} : { stream: config.stream },
  application_name: `${config.applicationName ?? "effect-taskflow"} (listens)`,
  keepAlive: true,
  connectionTimeoutMillis: 5_000
})

/** Connects and listens. `hear` is called with each payload. */
export const listen = (
  config: Config,
  channel: string,
  hear: (payload: string) => void
): Effect.Effect<Listener, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const Client = load()
    if (Client === null) return yield* Effect.fail(new Error("the driver pg is not there"))
    const connection = new Client(optionsOf(config))
    let fail = (_: unknown): void => {}
    const lost = Effect.async<never, unknown>((resume) => {
      fail = (cause) => resume(Effect.fail(cause))
    })
    let broken: { readonly cause: unknown } | null = null
    const breaks = (cause: unknown): void => {
      broken ??= { cause }
      fail(cause)
    }
    connection.on("error", breaks)
    connection.on("end", () => breaks(new Error("the connection was closed")))
    connection.on("notification", ({ payload }: { readonly payload?: string }) => hear(payload ?? ""))
    const ask = (query: () => Promise<unknown>) => Effect.tryPromise({ try: query, catch: (cause) => cause })
    // A server that does not answer must not keep the engine from closing.
    yield* Effect.acquireReleaseInterruptible(
      ask(() => connection.connect()),
      () => Effect.ignore(ask(() => connection.end())).pipe(Effect.interruptible, Effect.timeoutOption("1 second"))
    )
    yield* ask(() => connection.query(`LISTEN ${channel}`))
    return {
      notify: (payload) => {
        connection.query("SELECT pg_notify($1, $2)", [channel, payload]).catch(breaks)
      },
      lost: Effect.suspend(() => broken === null ? lost : Effect.fail(broken.cause))
    }
  })
