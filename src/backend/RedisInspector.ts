/** A Redis, which is only read. */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { howMany, wholeTime } from "../internal/listing.js"
import type { TaskBackend } from "../TaskBackend.js"
import { TaskBackendError } from "../TaskError.js"
import type { Inspector } from "./Inspector.js"
import * as Checks from "./redis/checks.js"
import { open } from "./redis/connection.js"
import { connectionOptions, isPrefix } from "./redis/options.js"
import type { RedisProblem } from "./redis/problem.js"
import * as Retention from "./redis/retention.js"
import { make as makeBackend } from "./RedisBackend.js"

export interface RedisInspectorOptions {
  readonly url: Redacted.Redacted
  readonly prefix?: string | undefined
}

const told = <A, R>(method: string, self: Effect.Effect<A, RedisProblem, R>): Effect.Effect<A, TaskBackendError, R> =>
  Effect.mapError(self, (cause) => new TaskBackendError({ method, cause }))

const refuse = (method: string) =>
  Effect.fail(new TaskBackendError({ method, cause: new Error("the database was opened for reading") }))

const reading = (backend: TaskBackend["Type"]): TaskBackend["Type"] => ({
  ...backend,
  attach: () => refuse("attach"),
  detach: () => refuse("detach"),
  heartbeat: () => refuse("heartbeat"),
  drain: () => refuse("drain"),
  reap: () => refuse("reap"),
  write: () => refuse("write"),
  claim: () => refuse("claim"),
  cancel: () => refuse("cancel"),
  deleteBefore: () => refuse("deleteBefore"),
  maintain: () => refuse("maintain"),
  hints: () => Stream.never,
  schedules: {
    ...backend.schedules,
    define: () => refuse("schedules.define"),
    pause: () => refuse("schedules.pause"),
    resume: () => refuse("schedules.resume"),
    retire: () => refuse("schedules.retire"),
    remove: () => refuse("schedules.remove"),
    fireSlot: () => refuse("schedules.fireSlot")
  },
  controls: {
    ...backend.controls,
    pause: () => refuse("controls.pause"),
    resume: () => refuse("controls.resume")
  },
  audit: {
    ...backend.audit,
    append: () => refuse("audit.append"),
    deleteBefore: () => refuse("audit.deleteBefore")
  },
  errors: { ...backend.errors, dismiss: () => refuse("errors.dismiss") }
})

export const make = ({ prefix = "taskflow", url }: RedisInspectorOptions): Effect.Effect<
  Inspector,
  TaskBackendError,
  Scope.Scope
> =>
  Effect.gen(function*() {
    if (!isPrefix(prefix)) {
      const message = `the prefix ${JSON.stringify(prefix)} is none: letters, digits and _ . : -, at most 64`
      return yield* new TaskBackendError({ method: "open", cause: new Error(message) })
    }
    const options = connectionOptions({ url })
    if (options === null) {
      const message = "the url is not redis://user:password@host:port/db or rediss://…"
      return yield* new TaskBackendError({ method: "connect", cause: new Error(message) })
    }
    const backend = yield* makeBackend({ url, prefix, notify: false, allowEviction: true })
    const connection = yield* told("connect", open(options, `{${prefix}}:`))
    return {
      tables: { _tag: "Unmanaged" },
      backend: reading(backend),
      countBefore: (before, asked, statuses) => {
        const cutoff = wholeTime(before)
        const most = howMany(asked, 0, Number.MAX_SAFE_INTEGER, 0)
        return cutoff === null || statuses.length === 0
          ? Effect.succeed(0)
          : told("countBefore", connection.run(Retention.countable, { statuses, cutoff, most }))
      },
      checks: Checks.make(connection, told)
    }
  })
