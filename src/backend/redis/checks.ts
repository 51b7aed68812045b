/** What can be wrong with a Redis and the keys in it: commands that look at a bounded number of keys, never at all of them. */
import * as Effect from "effect/Effect"
import type { TaskBackendError } from "../../TaskError.js"
import * as TaskStatus from "../../TaskStatus.js"
import { type Finding, pasted } from "../Inspector.js"
import type { Connection } from "./connection.js"
import type { RedisProblem } from "./problem.js"
import { asList, asTexts, type Reply } from "./script.js"

/** Of each index, and of the keys that are held, so many are looked at. */
const looked = 1_000
const atOnce = 100

const setting = ({ command }: Connection, name: string) =>
  Effect.map(
    Effect.orElseSucceed(command("CONFIG", "GET", name), (): Reply => null),
    (reply) => Array.isArray(reply) && typeof reply[1] === "string" ? reply[1] : null
  )

const finding = (facts: Pick<Finding, "code" | "what" | "todo"> & Partial<Finding>): Finding => ({
  level: "problem",
  count: null,
  atLeast: false,
  example: null,
  ...facts
})

/** How the server is set up. Nothing where it may not be asked. */
const settings = (connection: Connection): Effect.Effect<ReadonlyArray<Finding>> =>
  Effect.gen(function*() {
    const found: Array<Finding> = []
    const policy = yield* setting(connection, "maxmemory-policy")
    const memory = yield* setting(connection, "maxmemory")
    if (policy !== null && policy !== "noeviction" && memory !== null && memory !== "0") {
      found.push(finding({
        code: "redis.eviction",
        what: `this Redis throws keys away when its memory is full: maxmemory-policy is ${policy}`,
        todo: "CONFIG SET maxmemory-policy noeviction, and the same in its configuration"
      }))
    }
    if ((yield* setting(connection, "appendonly")) === "no") {
      found.push(finding({
        code: "redis.appendonly",
        level: "note",
        what: "this Redis has no append-only file: when it ends, every task since its last snapshot is lost",
        todo: "CONFIG SET appendonly yes, and the same in its configuration"
      }))
    }
    return found
  })

const headOf = ({ command, root }: Connection, id: string) =>
  Effect.map(command("HGET", `${root}t:${id}`, "h"), (head) => typeof head === "string" ? head.split(" ") : null)

const counted = (ids: ReadonlyArray<string>, atLeast: boolean) => ({
  count: ids.length,
  atLeast,
  example: ids[0] ?? null
})

/** Entries of indexes without their task, and tasks of instances that are not there. */
const tasks = (connection: Connection): Effect.Effect<ReadonlyArray<Finding>, RedisProblem> =>
  Effect.gen(function*() {
    const { command, root } = connection
    const found: Array<Finding> = []
    const owners = new Map<string, Array<string>>()
    for (const status of TaskStatus.all) {
      const ids = asTexts(yield* command("ZRANGE", `${root}s:${status}`, "0", String(looked - 1)))
      const heads = yield* Effect.forEach(ids, (id) => headOf(connection, id), { concurrency: atOnce })
      const missing = ids.filter((_, index) => heads[index] === null)
      if (missing.length > 0) {
        found.push(finding({
          code: "orphans.index",
          what: `the index of ${status} tasks names tasks that are not there`,
          ...counted(missing, ids.length === looked),
          todo: `ZREM ${root}s:${status} ${pasted(missing[0]!)}`
        }))
      }
      heads.forEach((head, index) => {
        const owner = head?.[1] ?? "-"
        if (owner !== "-" && !TaskStatus.isTerminal(status)) {
          owners.set(owner, [...owners.get(owner) ?? [], ids[index]!])
        }
      })
    }
    for (const [owner, ids] of owners) {
      const state = yield* command("HGET", `${root}i:${owner}`, "state")
      if (state === "live" || state === "dead") continue
      found.push(finding({
        code: "orphans.owner",
        what: `unfinished tasks belong to instance ${owner}, which does not exist: nobody runs them or takes them over`,
        ...counted(ids, ids.length >= looked),
        todo: "say that this instance is dead, and the next heartbeat of any instance gives its tasks back: " +
          `HSET ${root}i:${pasted(owner)} state dead beat 0 at 0 lone '' facts ` +
          `'${JSON.stringify({ id: pasted(owner), host: "unknown", process: null })}' and ZADD ${root}peers 0 ${
            pasted(owner)
          }`
      }))
    }
    return found
  })

/** Idempotency keys of tasks that are not there. */
const keys = (connection: Connection): Effect.Effect<ReadonlyArray<Finding>, RedisProblem> =>
  Effect.gen(function*() {
    const { command, root } = connection
    const [cursor, flat] = asList(yield* command("HSCAN", `${root}keys`, "0", "COUNT", String(looked)))
    const texts = asTexts(flat!)
    const held = texts.flatMap((text, index) =>
      index % 2 === 0 ? [{ hash: text, id: texts[index + 1]!.split(" ")[0]! }] : []
    )
    const heads = yield* Effect.forEach(held, ({ id }) => headOf(connection, id), { concurrency: atOnce })
    const lost = held.filter((_, index) => heads[index] === null)
    const [first] = lost
    return first === undefined ? [] : [finding({
      code: "orphans.keys",
      what:
        "idempotency keys are held by tasks that are not there: enqueuing with one answers a task that nobody finds",
      ...counted(lost.map(({ id }) => id), cursor !== "0"),
      todo: `HDEL ${root}keys ${pasted(first.hash)}`
    })]
  })

export const make = (
  connection: Connection,
  told: <A>(method: string, self: Effect.Effect<A, RedisProblem>) => Effect.Effect<A, TaskBackendError>
) => [
  { name: "settings", run: settings(connection) },
  { name: "tasks", run: told("tasks", tasks(connection)) },
  { name: "keys", run: told("keys", keys(connection)) }
]
