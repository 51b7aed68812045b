/**
 * Tasks in Redis, through a connection of their own. Several instances share them.
 *
 * Each method of the port is one script, so it is atomic; a whole batch is one round trip. All keys have one hash tag and are
 * in one slot. The protocol is in `redis/`.
 */
import type { ConnectionOptions } from "node:tls"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type { Redis, RedisOptions } from "ioredis"
import { type ListPage, type ListQuery, TaskBackend } from "../TaskBackend.js"
import { InstanceFenced, TaskBackendError, TaskflowWiringError } from "../TaskError.js"
import type { LogLine } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Terminal } from "../TaskStatus.js"
import * as Cancel from "./redis/cancel.js"
import * as Claim from "./redis/claim.js"
import { type Connection, open, RedisProblem } from "./redis/connection.js"
import * as Instances from "./redis/instances.js"
import * as Reads from "./redis/reads.js"
import * as Retention from "./redis/retention.js"
import * as Rows from "./redis/rows.js"
import { asList, asTexts, type Script } from "./redis/script.js"
import { inspect } from "./redis/server.js"
import * as Write from "./redis/write.js"

/** Where Redis is, and what the keys are called. */
export interface RedisBackendOptions {
  /** `redis://user:password@host:port/db`, or `rediss://…` for TLS. Instead of the next five. */
  readonly url?: Redacted.Redacted | undefined
  /** Default `127.0.0.1`. */
  readonly host?: string | undefined
  /** Default 6379. */
  readonly port?: number | undefined
  readonly username?: string | undefined
  readonly password?: Redacted.Redacted | undefined
  /** The number of the database. Default 0. */
  readonly db?: number | undefined
  /** `true`, or what Node.js's TLS takes. Default: none, or as the `url` says. */
  readonly tls?: boolean | ConnectionOptions | undefined
  /** What the names of all keys begin with, in braces: letters, digits and `_ . : -`, at most 64. Default `taskflow`. */
  readonly prefix?: string | undefined
  /** Go on, with a warning, on a server that throws keys away when its memory is full. Default false: the layer fails. */
  readonly allowEviction?: boolean | undefined
}

const refused = (message: string) =>
  Effect.fail(new TaskBackendError({ method: "connect", cause: new RedisProblem(message, true) }))

// The text is never part of a message: it may hold a password.
const fromUrl = (text: string): RedisOptions | null => {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^\/?\d*$/.test(url.pathname)) {
    return null
  }
  const { hostname, password, pathname, port, protocol, username } = url
  try {
    return {
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? 6379 : Number(port),
      db: Number(pathname.slice(1)),
      ...username === "" ? {} : { username: decodeURIComponent(username) },
      ...password === "" ? {} : { password: decodeURIComponent(password) },
      ...protocol === "rediss:" ? { tls: {} } : {}
    }
  } catch {
    return null
  }
}

const connectionOptions = (options: RedisBackendOptions): RedisOptions | null => {
  const { db = 0, host = "127.0.0.1", password, port = 6379, tls, url, username } = options
  const secured = tls === true ? { tls: {} } : tls === false || tls === undefined ? {} : { tls }
  if (url !== undefined) {
    const found = fromUrl(Redacted.value(url))
    return found === null ? null : { ...found, ...secured }
  }
  return {
    host,
    port,
    db,
    ...username === undefined ? {} : { username },
    ...password === undefined ? {} : { password: Redacted.value(password) },
    ...secured
  }
}

// As long as somebody may still repeat a batch of an instance that is gone.
const rememberedFor = 600_000
// Removed or forgotten by one script, and how many scripts `maintain` runs at most.
const removeStep = 500
const forgetSteps = 20

const terminal: ReadonlyArray<Terminal> = ["success", "failed", "interrupted", "cancelled"]

const onConnection = ({ command, root, run }: Connection, durability: TaskBackend["Type"]["info"]["durability"]) => {
  const told = <A>(method: string, self: Effect.Effect<A, RedisProblem>): Effect.Effect<A, TaskBackendError> =>
    Effect.mapError(self, (cause) => new TaskBackendError({ method, cause }))

  const ask = <Request, Answer>(script: Script<Request, Answer>, request: Request) =>
    told(script.name, run(script, request))

  const unlessFenced = <Answer>(instance: string, self: Effect.Effect<Answer | null, TaskBackendError>) =>
    Effect.flatMap(
      self,
      (answer): Effect.Effect<Answer, InstanceFenced> =>
        answer === null ? Effect.fail(new InstanceFenced({ instance })) : Effect.succeed(answer)
    )

  const list = (query: ListQuery): Effect.Effect<ListPage, TaskBackendError> =>
    Effect.gen(function*() {
      const limit = Math.min(200, Math.max(1, Math.floor(query.limit ?? 50)))
      const indexes = Reads.indexesOf(query)
      const found: Array<TaskRecord> = []
      let after: TaskId | null = query.cursor ?? null
      // One more than is shown says whether there is another page.
      while (found.length <= limit && indexes.length > 0) {
        const { items, last }: Reads.PagePart = yield* ask(Reads.page, {
          query,
          indexes,
          after,
          most: limit + 1 - found.length
        })
        found.push(...items)
        if (last === null) break
        after = last
      }
      const items = found.slice(0, limit)
      return { items, nextCursor: found.length > limit ? items[limit - 1]!.taskId : null }
    })

  const deleteBefore = (cutoff: number, limit: number, statuses: ReadonlyArray<Terminal> = terminal) =>
    Effect.gen(function*() {
      let deleted = 0
      for (const status of statuses) {
        while (deleted < limit) {
          const step = Math.min(removeStep, limit - deleted)
          const some = yield* ask(Retention.remove, { status, cutoff, limit: step })
          deleted += some
          if (some < step) break
        }
      }
      return deleted
    })

  const maintain = (now: number) =>
    Effect.gen(function*() {
      for (let step = 0; step < forgetSteps; step += 1) {
        if ((yield* ask(Instances.forget, { goneBefore: now - rememberedFor })) === 0) return
      }
    })

  const range = (method: string, key: string, from: number, to: number) =>
    Effect.map(told(method, command("LRANGE", `${root}${key}`, String(from), String(to))), asTexts)

  return TaskBackend.of({
    info: { kind: "redis", durability, shared: true, maxLive: Number.POSITIVE_INFINITY },
    attach: (facts) =>
      // Ids are words in rows and parts of keys.
      /^[\w-]+$/.test(facts.id)
        ? ask(Instances.attach, facts)
        : told(
          "attach",
          Effect.fail(new RedisProblem(`an instance cannot be called ${JSON.stringify(facts.id)}`, true))
        ),
    detach: (instance, now) => ask(Instances.detach, { instance, now }),
    heartbeat: (instance) => ask(Instances.heartbeat, instance),
    reap: (request) => ask(Instances.reap, request),
    write: (batch) => unlessFenced(batch.instance, ask(Write.script, batch)),
    claim: (request) => unlessFenced(request.instance, ask(Claim.script, request)),
    owned: (instance) => ask(Instances.owned, instance),
    joinTransaction: null,
    transaction: null,
    cancel: (taskId, now) => Effect.map(ask(Cancel.script, { taskId, now }), (answer) => answer(taskId)),
    get: (taskId) =>
      Effect.map(told("get", command("HMGET", `${root}t:${taskId}`, ...Rows.fields)), (reply) => {
        const texts = asList(reply)
        return texts[0] === null ? Option.none() : Option.some(Rows.fromFields(taskId, texts))
      }),
    list,
    logs: (taskId, { after, limit }) =>
      limit <= 0
        ? Effect.succeed([])
        : Effect.map(
          range("logs", `lg:${taskId}`, after, after + limit - 1),
          (lines) => lines.map((line): LogLine => JSON.parse(line)) // safe: what was written
        ),
    attempts: (taskId) =>
      Effect.map(range("attempts", `at:${taskId}`, 0, -1), (entries) => entries.map(Rows.entryFrom)),
    stats: ({ taskName }) => ask(Reads.stats, taskName),
    deleteBefore,
    maintain
  })
}

const isPrefix = (prefix: string): boolean => /^[\w.:-]{1,64}$/.test(prefix)

/**
 * A backend on a connection of its own: to where the options say, or, given the application's `redis`, with the settings of
 * that one, which is not used itself. Fails when Redis cannot be reached, or throws keys away when its memory is full.
 */
export const make = (
  options: RedisBackendOptions,
  redis?: Redis
): Effect.Effect<TaskBackend["Type"], TaskBackendError, Scope.Scope> =>
  Effect.gen(function*() {
    const { allowEviction = false, prefix = "taskflow" } = options
    if (!isPrefix(prefix)) {
      const message = `RedisBackend: prefix ${JSON.stringify(prefix)}: letters, digits and _ . : -, at most 64`
      return yield* Effect.die(new TaskflowWiringError({ message }))
    }
    const where = redis ?? connectionOptions(options)
    if (where === null) return yield* refused("the url is not redis://user:password@host:port/db or rediss://…")
    const connection = yield* Effect.mapError(
      open(where, `{${prefix}}:`),
      (cause) => new TaskBackendError({ method: "connect", cause })
    )
    const durability = yield* Effect.mapError(
      inspect(connection, { allowEviction }),
      (cause) => new TaskBackendError({ method: "connect", cause })
    )
    return onConnection(connection, durability)
  })

/** A backend on this Redis. */
export const layer = (options: RedisBackendOptions = {}): Layer.Layer<TaskBackend, TaskBackendError> =>
  Layer.scoped(TaskBackend, make(options))

/** The same from configuration. */
export const layerConfig = (
  options: Config.Config.Wrap<RedisBackendOptions>
): Layer.Layer<TaskBackend, TaskBackendError | ConfigError.ConfigError> =>
  Layer.scoped(TaskBackend, Effect.flatMap(Config.unwrap(options), (unwrapped) => make(unwrapped)))

/** The same as an application's own ioredis client is set up: host, sentinels, TLS, password. It gets a connection more. */
export const layerOf = (
  redis: Redis,
  options: Pick<RedisBackendOptions, "prefix" | "allowEviction"> = {}
): Layer.Layer<TaskBackend, TaskBackendError> => Layer.scoped(TaskBackend, make(options, redis))
