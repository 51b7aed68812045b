/**
 * What encryption costs a task, without a database: `npm run bench:cipher`. With one: `BENCH_CIPHER=1 npm run bench:backends`.
 *
 * Median of five rounds of `BENCH_N` (5,000) tasks, in microseconds of processor time, all threads together. Beside it one value through node:crypto, as it is
 * done, and through WebCrypto, one at a time and 100 at once.
 */
import { createCipheriv, randomBytes } from "node:crypto"
import { TaskId, TaskRecord } from "effect-taskflow"
import * as Keyring from "../../src/backend/cipher/keyring.js"
import * as Values from "../../src/backend/cipher/values.js"
import type { LogLine, TaskFailure } from "../../src/TaskEvent.js"

const n = Number(process.env["BENCH_N"] ?? 5_000)
const rounds = 5

const key = randomBytes(32)
const ring = Keyring.make([{ id: "bench", key }], key)
const ids = TaskId.random()
const now = 1_000_000_000_000

const recordOf = (size: number): TaskRecord.TaskRecord =>
  TaskRecord.fromEnqueued({
    _tag: "Enqueued",
    taskId: ids.next(now),
    at: now,
    taskName: "bench",
    kind: "task",
    payload: JSON.stringify({ text: "x".repeat(size) }),
    priority: 0,
    tags: {},
    idempotencyKey: null,
    keyTtl: null,
    source: "manual",
    schedule: null,
    executor: "fiber",
    requeueOnInterrupt: false,
    maxCrashes: 3,
    definitionVersion: 1,
    runAt: null,
    retryOf: null,
    trace: null,
    owner: null
  })

const failure: TaskFailure = {
  kind: "error",
  name: "Refused",
  message: "the gateway refused",
  stack: "    at charge (orders.ts:1:1)\n".repeat(30),
  error: "{}"
}
const line: LogLine = {
  sequence: 1,
  claim: 1,
  attempt: 1,
  at: now,
  level: "info",
  message: "a line",
  annotations: null
}

const median = (all: ReadonlyArray<number>): number => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)]!

const time = async (body: () => unknown): Promise<number> => {
  const from = process.cpuUsage()
  await body()
  const { system, user } = process.cpuUsage(from)
  return (system + user) / n
}

const measured = async (body: () => unknown): Promise<string> => {
  const all: Array<number> = []
  for (let round = 0; round < rounds; round += 1) all.push(await time(body))
  return median(all).toFixed(1).padStart(8)
}

const each = <A>(all: ReadonlyArray<A>, body: (one: A) => unknown) => () => all.forEach(body)

/** A life in the order of its writes, each of all tasks, so that no task finds what was remembered of the one before. */
const ofSize = async (size: number) => {
  const records = Array.from({ length: n }, () => recordOf(size))
  // As much in a batch as the journal has at most.
  const batch = Math.min(500, Math.floor(1_048_576 / size))
  const life = (result: string | null, failed: TaskFailure | null) => () => {
    const values = Values.make(ring, true)
    for (let from = 0; from < n; from += batch) {
      const some = records.slice(from, from + batch)
      for (const record of some) values.sealRecord(record, true)
      for (const record of some) values.sealRecord({ ...record, status: "running" })
      for (const record of some) {
        values.sealRecord({ ...record, status: failed === null ? "success" : "failed", result, failure: failed })
        values.forget(record.taskId)
      }
    }
  }
  const values = Values.make(ring, true)
  const sealed = records.map((record) => values.sealRecord({ ...record, result: "1", status: "success" }))
  console.log(`payload of ${size} characters`)
  console.log("  enqueue, start, success with a result ", await measured(life("{\"ok\":true}", null)))
  console.log("  enqueue, start, failure               ", await measured(life(null, { ...failure })))
  console.log(
    "  reading a finished task               ",
    await measured(each(sealed, Values.make(ring, true).openRecord))
  )
}

const lines = async () => {
  const values = Values.make(ring, true)
  const id = ids.next(now)
  const all = Array.from({ length: n }, (_, sequence) => ({ ...line, sequence }))
  console.log("a log line, written                      ", await measured(each(all, (one) => values.sealLine(id, one))))
}

const oneValue = async () => {
  const text = "x".repeat(200)
  const all = Array.from({ length: n }, (_, index) => index)
  const node = () => {
    const nonce = randomBytes(12)
    const cipher = createCipheriv("aes-256-gcm", key, nonce)
    return Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]).toString(
      "base64url"
    )
  }
  const imported = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"])
  const encoder = new TextEncoder()
  const web = async () => {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    const bytes = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, imported, encoder.encode(text))
    return Buffer.concat([iv, Buffer.from(bytes)]).toString("base64url")
  }
  console.log("one value of 200 characters")
  console.log("  node:crypto                           ", await measured(each(all, node)))
  console.log(
    "  WebCrypto, one after another          ",
    await measured(async () => {
      for (let count = 0; count < n; count += 1) await web()
    })
  )
  console.log(
    "  WebCrypto, 100 at once                ",
    await measured(async () => {
      for (let from = 0; from < n; from += 100) await Promise.all(Array.from({ length: 100 }, web))
    })
  )
}

console.log("microseconds of processor time a task")
for (const size of [100, 1_000, 10_000]) await ofSize(size)
await lines()
await oneValue()
