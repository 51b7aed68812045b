/** What is wrong with a definition, an option or the layers, and a database that is not there: named, shown, and what to write. */
import { describe, expect, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Redacted, Schema } from "effect"
import type { TaskBackend } from "effect-taskflow"
import { MemoryBackend, Task, TaskCipher, TaskflowLayer, type TaskflowOptions, TaskSchedule } from "effect-taskflow"
import { TaskAuth } from "effect-taskflow/http"
import { MysqlBackend } from "effect-taskflow/mysql"
import { FileObserver } from "effect-taskflow/observers"
import { PostgresBackend } from "effect-taskflow/postgres"
import { RedisBackend } from "effect-taskflow/redis"
import { SqliteBackend } from "effect-taskflow/sqlite"
import { TaskflowTest } from "effect-taskflow/testing"
import { errorOf, expectSaid, secret, thrownBy } from "./support/errors.js"

const long = "x".repeat(10_000)
const key = (id: string): TaskCipher.CipherKey => ({
  id,
  key: Redacted.make(Buffer.from("0123456789abcdef0123456789abcdef").toString("base64"))
})

describe("a definition that is wrong throws TaskDefinitionError", () => {
  const cases: ReadonlyArray<readonly [name: string, make: () => unknown, says: string]> = [
    [
      "a name with a line break",
      () => Task.make("a\nb"),
      `task "a\\nb": the name has 1 to 200 characters and no control characters`
    ],
    [
      "a name as long as a book",
      () => Task.make(long),
      `task "${
        long.slice(0, 100)
      }… (cut, 10000 characters)": the name has 1 to 200 characters and no control characters`
    ],
    [
      "a payload that is no JSON",
      () => Task.make("resize", { payload: { at: Schema.DateFromSelf } }),
      `task "resize": payload.at: Declaration (DateFromSelf) is not JSON; use a schema whose encoded side is`
    ],
    [
      "a retry that is no number",
      () => Task.make("resize", { retry: { retries: -1 } }),
      `task "resize": retry.retries is -1: a whole number from 0`
    ],
    [
      "a wait that is no duration",
      () => Task.make("resize", { retry: { retries: 1, delay: "soon" as never } }),
      `task "resize": retry.delay is "soon": a duration, as "1 second"`
    ],
    [
      "a timeout of nothing",
      () => Task.make("resize", { timeout: 0 }),
      `task "resize": timeout is 0: a duration longer than zero, as "30 seconds"`
    ],
    [
      "a priority that is too high",
      () => Task.make("resize", { priority: 2 ** 40 }),
      `task "resize": priority is 1099511627776: a whole number from -2147483647 to 2147483647`
    ],
    [
      "an executor that is none",
      () => Task.make("resize", { executor: "gpu" as never }),
      `task "resize": executor is "gpu": one of fiber, thread, process`
    ],
    [
      "what excludes itself",
      () => Task.make("resize", { transactional: true, persist: false }),
      `task "resize": transactional ends the task in the database, persist: false keeps it out of there: choose one`
    ],
    [
      "a module that is no URL",
      () => Task.module("./resize.worker.js"),
      `Task.module: "./resize.worker.js" is no absolute URL: write new URL("./name.worker.js", import.meta.url)`
    ]
  ]
  it.each(cases)("%s", (_, make, says) => {
    expectSaid(thrownBy(make), { tag: "TaskDefinitionError", says })
  })
})

describe("an option that is wrong fails the build by its name", () => {
  const options: ReadonlyArray<readonly [TaskflowOptions, string]> = [
    [{ maxConcurrentTasks: 0 }, "maxConcurrentTasks is 0: a whole number from 1"],
    [{ windowSize: "many" as never }, `windowSize is "many": a whole number from 1`],
    [{ shutdownTimeout: "soon" as never }, `shutdownTimeout is "soon": a duration, as "30 seconds"`],
    [{ lease: "1 milli" }, "lease is 1 ms: at least 100 ms"],
    [
      { lease: "3 seconds", heartbeatInterval: "2 seconds" },
      "heartbeatInterval is 2000 ms: at most a third of lease, 1000 ms"
    ],
    [{ poll: { min: "1 second", max: "1 milli" } }, "poll.max is 1 ms: at least 1000 ms"],
    [{ retention: { success: "a week" as never } }, `retention.success is "a week": a duration, as "30 seconds"`],
    [
      { retention: { audit: "1 day" } },
      "retention.audit is 86400000 ms: at least 8 days, as ended sessions are known from it"
    ],
    [{ logs: { level: "verbose" as never } }, `logs.level is "verbose": one of debug, info, warning, error`],
    [{ tracing: { mode: "always" as never } }, `tracing.mode is "always": one of auto, on, off`],
    [{ unhandled: "fail" as never }, `unhandled is "fail": one of wait, die`],
    [{ executors: { thread: { min: 3, max: 2 } } }, "executors.thread.min is 3: a whole number from 0 to its max, 2"]
  ]
  for (const [given, says] of options) {
    it.effect(`TaskflowLayer: ${says.split(" ")[0]}`, () =>
      Effect.gen(function*() {
        const error = yield* errorOf(Layer.build(Layer.provide(TaskflowLayer(given), MemoryBackend.layer())))
        expectSaid(error, { tag: "RangeError", says: `TaskflowLayer: ${says}` })
      }).pipe(Effect.scoped))
  }

  const built: ReadonlyArray<readonly [Layer.Layer<never, unknown> | Layer.Layer<unknown, unknown>, string]> = [
    [
      Layer.provide(FileObserver.layer({ path: "no.log", backupCount: -1 }), TaskflowTest.layer),
      "FileObserver: backupCount is -1: a whole number from 0"
    ]
  ]
  for (const [layer, says] of built) {
    it.effect(says.split(":")[0]!, () =>
      Effect.gen(function*() {
        expectSaid(yield* errorOf(Layer.build(layer)), { tag: "RangeError", says })
      }).pipe(Effect.scoped))
  }
})

const Lonely = Task.make("lonely")
const Thumb = Task.make("thumb", { executor: "thread" })
const Booked = Task.make("booked", { transactional: true })
const onMemory = (layer: Layer.Layer<never, unknown, TaskBackend | never>) =>
  Layer.provide(layer, MemoryBackend.layer())

describe("layers that were put together wrongly are a TaskflowWiringError", () => {
  const engine = () => TaskflowLayer({ announce: false, shutdownTimeout: 0 })
  const cases: ReadonlyArray<readonly [name: string, Layer.Layer<never, unknown>, says: string | RegExp]> = [
    [
      "two engines",
      onMemory(Layer.discard(Layer.merge(engine(), engine()))),
      "a second engine on one backend: TaskflowLayer(...) was called twice; build it once, share the value"
    ],
    [
      "two handlers of one name",
      Layer.discard(
        Layer.provide(
          Layer.merge(
            Lonely.toLayer(() => Effect.void),
            Task.make("lonely").toLayer(() => Effect.void)
          ),
          TaskflowTest.layer
        )
      ),
      /lonely/
    ],
    [
      "two schedules of one name",
      Layer.provide(
        Layer.merge(TaskSchedule.layer(Lonely, { every: "1 hour" }), TaskSchedule.layer(Lonely, { every: "2 hours" })),
        TaskflowTest.layer
      ),
      `two schedules named "lonely", of task "lonely" and of task "lonely": give one of the TaskSchedule.layer(…) calls a name of its own, as { name: "…" }`
    ],
    [
      "a function where a module is wanted",
      Layer.discard(Layer.provide(Thumb.toLayer(() => Effect.void), onMemoryEngine())),
      /^task "thumb" has executor "thread" and a function for a handler, which cannot leave this process: give toLayer a Task\.module/
    ],
    [
      "a transactional task without its database",
      Layer.discard(Layer.provide(Booked.toLayer(() => Effect.void), onMemoryEngine())),
      "booked is transactional: the memory backend shares no SqlClient with its handler; use SqlBackend.layer on yours"
    ],
    [
      "keys without a hashKey",
      onMemory(Layer.discard(TaskCipher.layer({ keys: [key("a"), key("b")] }))),
      "TaskCipher: several keys need a hashKey, the same for good: the key that was alone before"
    ],
    [
      "a key that is none, without showing it",
      onMemory(Layer.discard(TaskCipher.layer({ keys: [{ id: "a", key: Redacted.make(secret) }] }))),
      /^TaskCipher: key a has 27 bytes, it needs 32: openssl rand -base64 32$/
    ],
    [
      "a prefix that is none",
      Layer.discard(SqliteBackend.layer({ filename: ":memory:", prefix: "Task Flow" })),
      `SqlBackend: prefix is "Task Flow": small letters, digits and _, at most 31, a letter first`
    ]
  ]
  it.each(cases)("%s", (_, layer, says) =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      expectSaid(yield* errorOf(Layer.build(layer)), { tag: "TaskflowWiringError", says })
    }))))

  function onMemoryEngine() {
    return Layer.provide(engine(), MemoryBackend.layer())
  }

  it.each(
    [
      [
        "a password that is plain",
        () => TaskAuth.users({ users: [{ username: "ada", password: secret as never }] }),
        "TaskAuth.users: users[0].password is neither a hash nor Redacted: give TaskAuth.hashPassword(…) or Redacted.make(…)"
      ],
      ["nobody", () => TaskAuth.users({ users: [] }), "TaskAuth.users: users is empty, so nobody could pass"],
      [
        "a short token",
        () => TaskAuth.bearer({ tokens: [{ name: "ci", token: Redacted.make("short"), access: "viewer" }] }),
        "TaskAuth.bearer: tokens[0].token is no text of 16 to 4,096 ASCII characters without spaces"
      ],
      [
        "an access that is none",
        () =>
          TaskAuth.users({ users: [{ username: "ada", password: Redacted.make(secret), access: "admin" as never }] }),
        /^TaskAuth\.users: users\[0\]\.access is neither "viewer" nor "operator" nor a list of /
      ]
    ] as const
  )("TaskAuth: %s", (_, make, says) => {
    expectSaid(thrownBy(make), { tag: "TaskflowWiringError", says })
  })
})

describe("keys from the environment", () => {
  it.effect("name the variable, and show nothing of it", () =>
    Effect.gen(function*() {
      const layer = Layer.provide(TaskCipher.layerConfig(), MemoryBackend.layer())
      const withVariables = (variables: Record<string, string>) =>
        Effect.flip(
          Effect.withConfigProvider(Layer.build(layer), ConfigProvider.fromMap(new Map(Object.entries(variables))))
        )
      expect(String(yield* withVariables({}))).toContain("TASKFLOW_ENCRYPTION_KEYS")
      const wrong = String(yield* withVariables({ TASKFLOW_ENCRYPTION_KEYS: secret }))
      expect(wrong).toContain("keys are written as id:base64, separated by commas")
      expect(wrong).toContain("TASKFLOW_ENCRYPTION_KEYS")
      expect(wrong).not.toContain(secret)
    }).pipe(Effect.scoped))
})

describe("a database that is not there", () => {
  const password = Redacted.make(secret)
  const at = (scheme: string) => Redacted.make(`${scheme}://ada:${secret}@127.0.0.1:1/tasks`)
  const server =
    "at 127.0.0.1:1, database \"tasks\", user \"ada\": connect ECONNREFUSED 127.0.0.1:1: see that it is up, and that " +
    "user, password and database are right"
  const place = { host: "127.0.0.1", port: 1, database: "tasks", username: "ada", password }
  const cases: ReadonlyArray<readonly [string, Layer.Layer<TaskBackend, unknown>, string | RegExp]> = [
    [
      "SQLite",
      SqliteBackend.layer({ filename: "/no/such/folder/tasks.db" }),
      /^the task backend failed in open: SQLite file "\/no\/such\/folder\/tasks\.db": .*: give the path of a file that this process may write, in a folder that is there$/
    ],
    ["PostgreSQL", PostgresBackend.layer(place), `the task backend failed in connect: Postgres ${server}`],
    [
      "PostgreSQL by url",
      PostgresBackend.layer({ url: at("postgres") }),
      `the task backend failed in connect: Postgres ${server}`
    ],
    [
      "PostgreSQL by what is no url",
      PostgresBackend.layer({ url: Redacted.make(`postgres://ada:${secret}@:x/`) }),
      "the task backend failed in connect: Postgres: the url cannot be read: postgres://user:password@host:port/database is expected"
    ],
    ["MySQL", MysqlBackend.layer(place), `the task backend failed in connect: MySQL ${server}`],
    ["MySQL by url", MysqlBackend.layer({ url: at("mysql") }), `the task backend failed in connect: MySQL ${server}`],
    [
      "MySQL by what is no url",
      MysqlBackend.layer({ url: Redacted.make(`mysql ${secret}`) }),
      "the task backend failed in connect: MySQL: the url cannot be read: mysql://user:password@host:port/database is expected"
    ],
    [
      "Redis",
      RedisBackend.layer({ host: "127.0.0.1", port: 1, username: "ada", password }),
      /^the task backend failed in connect: Redis at 127\.0\.0\.1:1, database 0, user "ada": .*ECONNREFUSED.*: see that it is up/
    ],
    [
      "Redis by what is no url",
      RedisBackend.layer({ url: Redacted.make(secret) }),
      "the task backend failed in connect: the url is not redis://user:password@host:port/db or rediss://…"
    ]
  ]
  for (const [name, layer, says] of cases) {
    it.live(`${name} is told with its place, and without the password`, () =>
      Effect.gen(function*() {
        expectSaid(yield* errorOf(Layer.build(layer)), { tag: "TaskBackendError", says })
      }).pipe(Effect.scoped))
  }
})
