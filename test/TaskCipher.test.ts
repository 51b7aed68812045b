/** Encryption at rest, as an application meets it: keys that come, go and are wrong, and stores from before. */
import { describe, expect, it } from "@effect/vitest"
import { Cause, Config, ConfigProvider, Effect, Exit, Layer, Option, Redacted, Schema } from "effect"
import {
  MemoryBackend,
  Task,
  TaskBackend,
  TaskCipher,
  TaskDecryptionError,
  TaskflowLayer,
  TaskflowWiringError,
  TaskManager,
  TaskProgress
} from "effect-taskflow"
import * as TaskRedaction from "../src/http/TaskRedaction.js"
import * as TaskView from "../src/http/TaskView.js"
import { keyIdOf } from "../src/internal/sealed.js"
import { cipher, key } from "./support/cipher.js"
import { collectedLogs, engine } from "./support/engine.js"

class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}

const Mail = Task.make("mail", { payload: { to: Schema.String }, success: Schema.String, error: Refused })
const sends = Mail.toLayer(({ to }) =>
  Effect.gen(function*() {
    yield* Effect.logInfo(`to ${to}`)
    yield* TaskProgress.set(0.5, `half to ${to}`)
    return to.startsWith("bad") ? yield* new Refused({ why: to }) : `sent to ${to}`
  })
)

type Options = Partial<TaskCipher.TaskCipherOptions>

/** One store, and engines on it one after another: without a cipher where the options are null. */
const store = Effect.map(MemoryBackend.make(), (inner) => {
  const below = Layer.succeed(TaskBackend, inner)
  // With ids of their own, unlike `engine`: they share a store.
  const on = (options: Options | null) =>
    Layer.provide(
      Layer.orDie(TaskflowLayer({ announce: false, shutdownTimeout: 0 })),
      options === null ? below : Layer.provide(cipher(options), below)
    )
  return {
    inner,
    /** An engine that has handlers. */
    life: <A, E>(options: Options | null, body: Effect.Effect<A, E, TaskManager>) =>
      Effect.provide(body, Layer.provideMerge(sends, on(options))),
    /** One that accepts and runs nothing. */
    accept: <A, E>(options: Options | null, body: Effect.Effect<A, E, TaskManager>) =>
      Effect.provide(body, on(options)),
    raw: (taskId: string) => Effect.map(inner.get(taskId as never), Option.getOrThrow)
  }
})

const manager = <A, E>(use: (manager: TaskManager["Type"]) => Effect.Effect<A, E>) => Effect.flatMap(TaskManager, use)
const k1 = { keys: [key("k1")] }
const k2 = { keys: [key("k2")] }
const redaction = TaskRedaction.make()

describe("TaskCipher", () => {
  it.effect("stores nothing readable of what a task carries, and gives all of it back", () =>
    Effect.gen(function*() {
      const { inner, life, raw } = yield* store
      const id = yield* life(
        k1,
        Effect.gen(function*() {
          expect(yield* Mail.execute({ to: "ada" })).toBe("sent to ada")
          const { taskId } = yield* Mail.enqueue({ to: "bad ada" }, { idempotencyKey: "ada-1", tags: { team: "a" } })
          expect(yield* Effect.flip(Mail.awaitResult(taskId))).toEqual(new Refused({ why: "bad ada" }))
          const record = yield* manager(({ get }) => get(taskId))
          expect(record).toMatchObject({
            payload: "{\"to\":\"bad ada\"}",
            idempotencyKey: "ada-1",
            failure: { kind: "error", name: "Refused", error: "{\"why\":\"bad ada\",\"_tag\":\"Refused\"}" },
            progress: { value: 0.5, message: "half to bad ada" }
          })
          const logs = yield* manager(({ logs }) => logs(taskId))
          expect(logs.map(({ message }) => message)).toEqual(["to bad ada"])
          expect([record.logLines, record.logBytes]).toEqual([1, "to bad ada".length])
          const { items: [group] } = yield* manager(({ errors }) => errors.list({}))
          expect(group).toMatchObject({ count: 1, sample: { name: "Refused" } })
          const found = yield* manager(({ list }) => list({ errorGroup: group!.fingerprint }))
          expect(found.items.map((one) => one.taskId)).toEqual([taskId])
          return taskId
        })
      )
      const stored = yield* raw(id)
      expect(stored).toMatchObject({
        taskName: "mail",
        status: "failed",
        tags: { team: "a" },
        failure: { kind: "error" }
      })
      const lines = yield* inner.logs(stored.taskId, { after: 0, limit: 10 })
      const groups = yield* inner.errors.list({})
      const { items } = yield* inner.list({})
      expect(items.length).toBe(2)
      // Longer than what an id or a cipher has by chance.
      expect(JSON.stringify([items, lines, groups])).not.toMatch(/bad ada|to ada|ada-1|Refused/)
    }))

  it.effect("fails what it cannot decrypt with TaskDecryptionError, and nothing else; with the key back it runs", () =>
    Effect.gen(function*() {
      const { accept, life } = yield* store
      const ids: Array<string> = []
      // Another key, and another key of the same id.
      for (const [round, keys] of [[key("k2")], [key("k1", "another")]].entries()) {
        const { taskId } = yield* accept(k1, Mail.enqueue({ to: `${round}` }, { idempotencyKey: `secret ${round}` }))
        ids.push(taskId)
        yield* life(
          { keys },
          Effect.gen(function*() {
            const shown = TaskView.summary(yield* manager(({ get }) => get(taskId)), redaction)
            expect(shown.idempotencyKey).toBe("<encrypted>")
            expect(JSON.stringify(shown)).not.toContain("enc1")
            expect(yield* Mail.execute({ to: "other" })).toBe("sent to other")
            const stopped = yield* Effect.flip(Mail.awaitResult(taskId))
            expect(stopped).toMatchObject({ _tag: "TaskStopped", reason: "undecodable" })
            const record = yield* manager(({ get }) => get(taskId))
            expect(record).toMatchObject({
              status: "failed",
              stopReason: "undecodable",
              attempts: 1,
              failure: {
                name: "TaskDecryptionError",
                message: new TaskDecryptionError({ taskId, keyId: "k1" }).message
              }
            })
            expect(yield* Effect.flip(manager(({ retry }) => retry(taskId)))).toEqual(
              new TaskDecryptionError({ taskId, keyId: "k1" })
            )
            const registered = yield* manager((one) => one.registered)
            const visible = { payload: true, logs: true, redaction }
            const definition = registered.find(({ taskName }) => taskName === "mail")
            const detail = TaskView.detail(record, definition, visible)
            expect(detail.hidden).toEqual(["payload"])
            expect("payload" in detail).toBe(false)
            expect((yield* manager(({ list }) => list())).items.length).toBe(2 * (round + 1))
          })
        )
      }
      yield* life(
        { keys: [key("k2"), key("k1")], hashKey: key("k1").key },
        Effect.gen(function*() {
          for (const [index, taskId] of ids.entries()) {
            const again = yield* manager(({ retry }) => retry(taskId))
            expect(yield* Mail.awaitResult(again)).toBe(`sent to ${index}`)
            expect((yield* manager(({ get }) => get(again))).idempotencyKey).toBe(`secret ${index}`)
          }
        })
      )
    }))

  it.effect("rotates: the new key writes, the old one reads, keys stay held, also when the old one is gone", () =>
    Effect.gen(function*() {
      const { accept, life, raw } = yield* store
      const held = yield* accept(
        k1,
        Effect.gen(function*() {
          yield* Mail.enqueue({ to: "early" }, { delay: "1 hour", idempotencyKey: "e" })
          return (yield* Mail.enqueue({ to: "ada" }, { idempotencyKey: "ada" })).taskId
        })
      )
      const hashKey = key("k1").key
      const isHeld = Effect.gen(function*() {
        const again = yield* Mail.enqueue({ to: "again" }, { idempotencyKey: "ada" })
        expect(again).toEqual({ _tag: "Deduplicated", taskId: held })
      })
      // First every instance has to be able to read the new one.
      yield* accept({ keys: [key("k1"), key("k2")], hashKey }, isHeld)
      yield* life(
        { keys: [key("k2"), key("k1")], hashKey },
        Effect.gen(function*() {
          yield* isHeld
          expect(yield* Mail.awaitResult(held)).toBe("sent to ada")
          expect(keyIdOf((yield* raw(held)).payload)).toBe("k2")
        })
      )
      yield* life(
        { ...k2, hashKey },
        Effect.gen(function*() {
          yield* isHeld
          expect(yield* Mail.enqueue({ to: "again" }, { idempotencyKey: "e" })).toMatchObject({ _tag: "Deduplicated" })
          expect(yield* manager(({ get }) => get(held))).toMatchObject({ payload: "{\"to\":\"ada\"}" })
        })
      )
    }))

  it.effect("goes on with a store from before, frees its keys, and leaves it encrypted", () =>
    Effect.gen(function*() {
      const { accept, life, raw } = yield* store
      const ids = yield* accept(
        null,
        Effect.forEach(["bad 1", "2"], (to) => Mail.enqueue({ to }, { idempotencyKey: `key ${to}` }))
      )
      const [bad, good] = ids.map(({ taskId }) => taskId)
      yield* life(
        k1,
        Effect.gen(function*() {
          expect(yield* Effect.flip(Mail.awaitResult(bad!))).toEqual(new Refused({ why: "bad 1" }))
          expect(yield* Mail.awaitResult(good!)).toBe("sent to 2")
          expect((yield* manager(({ get }) => get(good!))).idempotencyKey).toBe("key 2")
          const again = yield* manager(({ retry }) => retry(bad!))
          expect(yield* Effect.flip(Mail.awaitResult(again))).toEqual(new Refused({ why: "bad 1" }))
          expect(yield* manager(({ get }) => get(again))).toMatchObject({
            payload: "{\"to\":\"bad 1\"}",
            idempotencyKey: "key bad 1"
          })
          expect((yield* raw(again)).idempotencyKey).toMatch(/^hash1\.[\w-]{43}$/)
        })
      )
      for (const taskId of [bad!, good!]) {
        const { payload, result } = yield* raw(taskId)
        expect([payload, result].map((text) => text === null ? null : keyIdOf(text))).toEqual([
          "k1",
          taskId === good ? "k1" : null
        ])
      }
      yield* accept(
        null,
        Effect.gen(function*() {
          expect(yield* Mail.enqueue({ to: "3" }, { idempotencyKey: "key bad 1" })).toMatchObject({ _tag: "Enqueued" })
          expect(yield* Mail.enqueue({ to: "3" }, { idempotencyKey: "key 2" })).toMatchObject({ taskId: good })
        })
      )
    }))

  it.effect("is turned off by only decrypting: old rows are read, new ones readable, keys freed", () =>
    Effect.gen(function*() {
      const { accept, life, raw } = yield* store
      const off = { ...k1, encrypt: false }
      const { taskId } = yield* accept(k1, Mail.enqueue({ to: "bad" }, { idempotencyKey: "k" }))
      yield* life(
        off,
        Effect.gen(function*() {
          expect(yield* Effect.flip(Mail.awaitResult(taskId))).toEqual(new Refused({ why: "bad" }))
          const { taskId: next } = yield* Mail.enqueue({ to: "next" })
          expect(yield* Mail.awaitResult(next)).toBe("sent to next")
          expect(yield* raw(next)).toMatchObject({ payload: "{\"to\":\"next\"}", result: "\"sent to next\"" })
        })
      )
      yield* accept(
        k1,
        Effect.map(Mail.enqueue({ to: "c" }, { idempotencyKey: "k" }), ({ _tag }) => expect(_tag).toBe("Enqueued"))
      )
    }))

  it.effect("leaves rows that are shown as encrypted when it is taken away", () =>
    Effect.gen(function*() {
      const { life } = yield* store
      const taskId = yield* life(
        k1,
        Effect.gen(function*() {
          const { taskId } = yield* Mail.enqueue({ to: "bad ada" }, { idempotencyKey: "ada" })
          yield* Effect.flip(Mail.awaitResult(taskId))
          return taskId
        })
      )
      yield* life(
        null,
        Effect.gen(function*() {
          const record = yield* manager(({ get }) => get(taskId))
          const definition = (yield* manager((one) => one.registered))[0]!
          expect(TaskView.detail(record, definition, { payload: true, logs: true, redaction })).toMatchObject({
            status: "failed",
            error: "<encrypted>",
            stacktrace: "",
            idempotencyKey: "<encrypted>",
            progress: { value: 0.5, message: "<encrypted>" },
            hidden: ["payload"]
          })
          const [line] = yield* manager(({ logs }) => logs(taskId))
          expect(TaskView.logLine(line!, "mail", redaction)).toMatchObject({ message: "<encrypted>", annotations: {} })
          expect(yield* Effect.flip(Mail.awaitResult(taskId))).toMatchObject({ reason: "undecodable" })
        })
      )
    }))

  it.effect("is one backend with the one below: a second engine on it is refused", () =>
    Effect.gen(function*() {
      const { accept } = yield* store
      const second = yield* Effect.exit(accept(k1, accept(k2, Effect.void)))
      expect(Exit.isFailure(second) && Cause.squash(second.cause)).toBeInstanceOf(TaskflowWiringError)
    }))
})

const messageOf = (options: Options) =>
  Effect.map(
    Effect.exit(Effect.provide(TaskBackend, Layer.provide(cipher(options), MemoryBackend.layer()))),
    (exit) => {
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : null
      expect(error).toBeInstanceOf(TaskflowWiringError)
      return (error as TaskflowWiringError).message
    }
  )

describe("the keys of TaskCipher", () => {
  it.effect("that are wrong stop the start, and are not in the message", () =>
    Effect.gen(function*() {
      const of = (text: string, id = "k1"): TaskCipher.CipherKey => ({ id, key: Redacted.make(text) })
      const short = Buffer.from("a short key of another length").toString("base64")
      const long = Redacted.value(key("k").key)
      expect(yield* messageOf({ keys: [] })).toContain("keys is empty")
      expect(yield* messageOf({ keys: [of(short)] })).toContain("key k1 has 29 bytes, it needs 32")
      expect(yield* messageOf({ keys: [of("not base64!")] })).toContain("key k1 is not base64")
      expect(yield* messageOf({ keys: [of(Buffer.alloc(32, 65).toString("base64"))] })).toContain("is not random")
      expect(yield* messageOf({ keys: [key("k1"), key("k2")] })).toContain("several keys need a hashKey")
      expect(yield* messageOf({ keys: [key("k1"), key("k1", "other")] })).toContain("two keys have the id k1")
      expect(yield* messageOf({ keys: [key("k1")], hashKey: Redacted.make(short) })).toContain("hashKey has 29 bytes")
      for (const keys of [[of(short)], [of("not base64!")], [of(long, long)], [of(`${long}AAAA`)]]) {
        const message = yield* messageOf({ keys })
        for (const { key } of keys) expect(message).not.toContain(Redacted.value(key))
        expect(message).not.toContain(long)
      }
    }))

  it.effect("come from the environment, in the order they are written", () =>
    Effect.gen(function*() {
      const [first, second] = ["k2", "k1"].map((id) => `${id}:${Redacted.value(key(id).key)}`)
      const from = (text: string) => ConfigProvider.fromMap(new Map([["TASKFLOW_ENCRYPTION_KEYS", text]]))
      const read = (text: string) => Effect.withConfigProvider(TaskCipher.keysConfig(), from(text))
      expect(yield* read(`${first}, ${second}`)).toEqual([key("k2"), key("k1")])
      const wrong = yield* Effect.flip(read(Redacted.value(key("k1").key)))
      expect(String(wrong)).not.toContain(Redacted.value(key("k1").key))
      const info = (layer: Layer.Layer<TaskBackend, unknown, TaskBackend>) =>
        Effect.map(Effect.provide(TaskBackend, Layer.provide(layer, MemoryBackend.layer())), (one) => one.info)
      expect(yield* Effect.withConfigProvider(info(TaskCipher.layerConfig()), from(first!)))
        .toMatchObject({ encrypted: true })
      // Several need the hash key too.
      const both = (more: ReadonlyArray<readonly [string, string]>) =>
        ConfigProvider.fromMap(new Map([["TASKFLOW_ENCRYPTION_KEYS", `${first},${second}`], ...more]))
      const hashKey = ["TASKFLOW_HASH_KEY", Redacted.value(key("k1").key)] as const
      expect(yield* Effect.withConfigProvider(info(TaskCipher.layerConfig()), both([hashKey])))
        .toMatchObject({ encrypted: true })
      const without = yield* Effect.exit(Effect.withConfigProvider(info(TaskCipher.layerConfig()), both([])))
      expect(Exit.isFailure(without) && Cause.squash(without.cause)).toBeInstanceOf(TaskflowWiringError)
      const given = TaskCipher.layerConfig({ keys: TaskCipher.keysConfig("OTHER"), encrypt: Config.succeed(false) })
      const other = ConfigProvider.fromMap(new Map([["OTHER", second!]]))
      expect(yield* Effect.withConfigProvider(info(given), other)).toMatchObject({ encrypted: false })
    }))

  it.effect("are made by generateKey, each another one", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* TaskCipher.generateKey, yield* TaskCipher.generateKey].map(Redacted.value)
      expect(Buffer.from(one!, "base64").length).toBe(32)
      expect(one).not.toBe(two)
    }))
})

describe("a task with a place typed Redacted", () => {
  const Secret = (name: string) => Task.make(name, { payload: { token: Schema.Redacted(Schema.String) } })

  it.effect("is warned of once, on a backend that stores it as it is", () =>
    Effect.gen(function*() {
      const warningsOn = (wrap: (backend: TaskBackend["Type"]) => TaskBackend["Type"], over?: Options) =>
        Effect.gen(function*() {
          const { layer, lines } = collectedLogs()
          const below = Layer.effect(TaskBackend, Effect.map(MemoryBackend.make(), wrap))
          const handles = (name: string) => Secret(name).toLayer(() => Effect.void)
          const handlers = Layer.merge(handles("one"), handles("two"))
          const backend = over === undefined ? below : Layer.provide(cipher(over), below)
          yield* Effect.provide(Effect.void, Layer.provide(Layer.provide(handlers, engine({}, backend)), layer))
          return lines.filter(({ level }) => level === "Warning").map(({ message }) => message)
        })
      const onDisk = (backend: TaskBackend["Type"]) => ({ ...backend, info: { ...backend.info, kind: "disk" } })
      const warnings = yield* warningsOn(onDisk)
      expect(warnings.length).toBe(1)
      expect(warnings[0]).toContain("the disk backend stores it as it is")
      expect(yield* warningsOn(onDisk, {})).toEqual([])
      expect((yield* warningsOn(onDisk, { encrypt: false })).length).toBe(1)
      expect(yield* warningsOn((backend) => backend)).toEqual([])
    }))
})
