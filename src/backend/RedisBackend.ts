/**
 * Tasks in Redis, through a connection of their own. Several instances share them.
 *
 * Each method of the port is one script, so it is atomic; a whole batch is one round trip. All keys have one hash tag and are
 * in one slot. The protocol is in `redis/`.
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Redis } from "ioredis"
import { askable, howMany, wholeTime } from "../internal/listing.js"
import { pageLimit } from "../internal/pageLimit.js"
import { inWords } from "../internal/shown.js"
import { type ListPage, type ListQuery, TaskBackend } from "../TaskBackend.js"
import { InstanceFenced, TaskBackendError, TaskflowWiringError } from "../TaskError.js"
import type { InstanceId, LogLine } from "../TaskEvent.js"
import type { TaskId } from "../TaskId.js"
import type { Reaped } from "../TaskPeer.js"
import type { TaskRecord } from "../TaskRecord.js"
import type { Terminal } from "../TaskStatus.js"
import * as Audit from "./redis/audit.js"
import * as Cancel from "./redis/cancel.js"
import * as Claim from "./redis/claim.js"
import { type Connection, open } from "./redis/connection.js"
import * as Controls from "./redis/controls.js"
import * as Counts from "./redis/counts.js"
import * as Errors from "./redis/errors.js"
import * as Feed from "./redis/feed.js"
import * as Hints from "./redis/hints.js"
import * as Instances from "./redis/instances.js"
import { connectionOptions, isPrefix, notConnected, type RedisBackendOptions } from "./redis/options.js"
import { RedisProblem } from "./redis/problem.js"
import * as Reads from "./redis/reads.js"
import * as Reap from "./redis/reap.js"
import * as Retention from "./redis/retention.js"
import * as Rollups from "./redis/rollups.js"
import * as Rows from "./redis/rows.js"
import * as Schedules from "./redis/schedules.js"
import { type Ask, asList, asTexts } from "./redis/script.js"
import { inspect } from "./redis/server.js"
import * as Write from "./redis/write.js"

export type { RedisBackendOptions }

const refused = (message: string) =>
  Effect.fail(new TaskBackendError({ method: "connect", cause: new RedisProblem(message, true) }))

// As long as somebody may still repeat a batch of an instance that is gone.
const rememberedFor = 600_000
// Removed or forgotten by one script, and how many scripts `maintain` runs at most.
const removeStep = 500
const forgetSteps = 20

// Lines that one page of a log has at most.
const largestPage = 1_000_000

const terminal: ReadonlyArray<Terminal> = ["success", "failed", "interrupted", "cancelled"]

interface Settings {
  readonly durability: TaskBackend["Type"]["info"]["durability"]
  readonly notify: boolean
}

const onConnection = (connection: Connection, { durability, notify }: Settings) => {
  const { command, root, run } = connection
  const hints = Hints.make(connection, { notify })
  // Who tells of what nobody in particular changed.
  let identity: InstanceId | null = null

  const told = <A>(method: string, self: Effect.Effect<A, RedisProblem>): Effect.Effect<A, TaskBackendError> =>
    Effect.mapError(self, (cause) => new TaskBackendError({ method, cause }))

  const ask: Ask = (script, request) => told(script.name, run(script, request))

  const noted = <A, E>(self: Effect.Effect<A, E>, note: (answer: A) => void) =>
    Effect.map(self, (answer) => {
      note(answer)
      return answer
    })

  const unlessFenced = <Answer>(instance: string, self: Effect.Effect<Answer | null, TaskBackendError>) =>
    Effect.flatMap(
      self,
      (answer): Effect.Effect<Answer, InstanceFenced> =>
        answer === null ? Effect.fail(new InstanceFenced({ instance })) : Effect.succeed(answer)
    )

  const list = (asked: ListQuery): Effect.Effect<ListPage, TaskBackendError> =>
    Effect.gen(function*() {
      const query = askable(asked)
      if (query === null) return { items: [], nextCursor: null }
      const limit = pageLimit(query.limit)
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

  const deleteBefore = (before: number, asked: number, statuses: ReadonlyArray<Terminal> = terminal) =>
    Effect.gen(function*() {
      const cutoff = wholeTime(before)
      const limit = howMany(asked, 0, Number.MAX_SAFE_INTEGER, 0)
      let deleted = 0
      if (cutoff === null) return deleted
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

  const inSteps = (step: Effect.Effect<number, TaskBackendError>, full: number) =>
    Effect.gen(function*() {
      for (let steps = 0; steps < forgetSteps; steps += 1) {
        if ((yield* step) < full) return
      }
    })

  const maintain = (now: number) =>
    Effect.gen(function*() {
      yield* inSteps(ask(Instances.forget, { goneBefore: now - rememberedFor }), 100)
      yield* inSteps(ask(Errors.forget, { now }), 100)
      yield* inSteps(ask(Feed.trim, now - Feed.kept), 200)
      yield* Rollups.maintain(ask, now)
    })

  const reap = (request: Parameters<TaskBackend["Type"]["reap"]>[0]) =>
    Effect.gen(function*() {
      let poison: string | null = null
      while (true) {
        const { poison: needed, ...reaped }: Reaped & { readonly poison: string | null } = yield* ask(Reap.script, {
          ...request,
          by: identity,
          poison
        })
        if (needed === null) return reaped
        poison = needed
      }
    })

  const schedules = Schedules.make(ask)
  const controls = Controls.make(ask)

  const range = (method: string, key: string, from: number, to: number) =>
    Effect.map(told(method, command("LRANGE", `${root}${key}`, String(from), String(to))), asTexts)

  return TaskBackend.of({
    info: { kind: "redis", durability, shared: true, maxLive: Number.POSITIVE_INFINITY },
    attach: (facts, now) =>
      // Ids are words in rows and parts of keys.
      /^[\w-]+$/.test(facts.id)
        ? noted(ask(Instances.attach, { facts, now }), () => {
          identity = facts.id
        })
        : told(
          "attach",
          Effect.fail(new RedisProblem(`an instance cannot be called ${JSON.stringify(facts.id)}`, true))
        ),
    detach: (instance, now) => ask(Instances.detach, { instance, now }),
    heartbeat: (instance, now, vitals) => noted(ask(Instances.heartbeat, { instance, now, vitals }), hints.heard),
    instances: Effect.suspend(() => ask(Instances.list, null)),
    drain: (instance, draining) => noted(ask(Instances.drain, { instance, draining }), hints.steered),
    reap: (request) => noted(reap(request), hints.reaped),
    write: (batch) => noted(unlessFenced(batch.instance, Write.write(ask)(batch)), () => hints.wrote(batch)),
    claim: (request) => noted(unlessFenced(request.instance, ask(Claim.script, request)), hints.claimed),
    owned: (instance) => Effect.map(ask(Instances.owned, instance), (records) => ({ records, joined: [] })),
    joinTransaction: null,
    transaction: null,
    cancel: (taskId, now) =>
      noted(
        Effect.map(ask(Cancel.script, { taskId, now, by: identity }), (answer) => answer(taskId)),
        hints.cancelled
      ),
    get: (taskId) =>
      Effect.map(told("get", command("HMGET", `${root}t:${taskId}`, ...Rows.fields)), (reply) => {
        const texts = asList(reply)
        return texts[0] === null ? Option.none() : Option.some(Rows.fromFields(taskId, texts))
      }),
    list,
    logs: (taskId, page) => {
      const limit = howMany(page.limit, 0, largestPage, 0)
      const after = howMany(page.after, 0, Number.MAX_SAFE_INTEGER - largestPage, 0)
      if (limit === 0) return Effect.succeed([])
      return Effect.map(
        range("logs", `lg:${taskId}`, after, after + limit - 1),
        (lines) => lines.map((line): LogLine => JSON.parse(line)) // safe: what was written
      )
    },
    attempts: (taskId) =>
      Effect.map(range("attempts", `at:${taskId}`, 0, -1), (entries) => entries.map(Rows.entryFrom)),
    stats: ({ taskName }) => ask(Reads.stats, taskName),
    count: Counts.count(ask),
    unfinished: Effect.suspend(() => ask(Counts.unfinished, null)),
    rollups: Rollups.read(ask),
    deleteBefore,
    countBefore: (before, asked) => {
      const cutoff = wholeTime(before)
      const most = howMany(asked, 0, Number.MAX_SAFE_INTEGER, 0)
      return cutoff === null ? Effect.succeed(0) : ask(Retention.countable, { statuses: terminal, cutoff, most })
    },
    feed: (query) => ask(Feed.read, query),
    hints: hints.hints,
    maintain,
    schedules: { ...schedules, fireSlot: (request) => noted(schedules.fireSlot(request), hints.fired) },
    controls: {
      ...controls,
      pause: (target, by, now) => noted(controls.pause(target, by, now), hints.steered),
      resume: (target) => noted(controls.resume(target), hints.resumed)
    },
    audit: Audit.make(ask),
    errors: Errors.make(ask)
  })
}

/**
 * A backend on a connection of its own: to where the options say, or, given the application's `redis`, with the settings of
 * that one, which is not used itself. Fails when Redis cannot be reached, or throws keys away when its memory is full.
 */
export const make = (
  options: RedisBackendOptions,
  redis?: Redis
): Effect.Effect<TaskBackend["Type"], TaskBackendError, Scope.Scope> =>
  Effect.gen(function*() {
    const { allowEviction = false, notify = true, prefix = "taskflow" } = options
    if (!isPrefix(prefix)) {
      const message = `RedisBackend: prefix is ${inWords(prefix)}: letters, digits and _ . : -, at most 64`
      return yield* Effect.die(new TaskflowWiringError({ message }))
    }
    const where = redis?.options ?? connectionOptions(options)
    if (where === null) return yield* refused("the url is not redis://user:password@host:port/db or rediss://…")
    const connection = yield* Effect.mapError(
      open(redis ?? where, `{${prefix}}:`),
      (problem) => new TaskBackendError({ method: "connect", cause: notConnected(where, problem) })
    )
    const durability = yield* Effect.mapError(
      inspect(connection, { allowEviction }),
      (cause) => new TaskBackendError({ method: "connect", cause })
    )
    return onConnection(connection, { durability, notify })
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
  options: Pick<RedisBackendOptions, "prefix" | "notify" | "allowEviction"> = {}
): Layer.Layer<TaskBackend, TaskBackendError> => Layer.scoped(TaskBackend, make(options, redis))
