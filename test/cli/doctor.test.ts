/** `doctor`: each thing that can be wrong is found, with how many, one of them, and a remedy that works. */
import { Reactivity } from "@effect/experimental"
import { describe, expect } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Task, TaskEvent, TaskManager } from "effect-taskflow"
import { Redis } from "ioredis"
import { redis } from "../support/databases.js"
import { backendOn, batchOf, databases, instance, task } from "../support/sql.js"
import { testOn } from "../support/testOn.js"
import {
  application,
  cli,
  ended,
  jsonOf,
  kinds,
  Mail,
  mysqlUrl,
  type Place,
  postgresUrl,
  testOn as onKind,
  until,
  withApplication
} from "./support.js"

const Lost = Task.make("lost", { payload: { to: Schema.String } })

const found = (place: Pick<Place, "at">) =>
  Effect.map(cli(["doctor", ...place.at, "--json"]), (said) => ({
    code: said.code,
    codes: jsonOf(said).findings.filter(({ level }: any) => level === "problem").map(({ code }: any) => code),
    of: (code: string) => jsonOf(said).findings.find((one: any) => one.code === code)
  }))

for (const kind of kinds) {
  const test = onKind(kind)

  describe.skipIf(!kind.present)(`the doctor on ${kind.name}`, () => {
    test("finds nothing wrong where an application is at work, and changes nothing", (place) =>
      Effect.gen(function*() {
        yield* ended(place)
        yield* application(place)
        const doctor = yield* cli(["doctor", ...place.at])
        expect(doctor.code).toBe(0)
        expect(doctor.out).not.toContain("problem  ")
      }))

    test("finds tasks that nobody alive has a handler for, and none where nobody is alive", (place) =>
      Effect.gen(function*() {
        yield* cli(["migrate", "up", ...place.at])
        yield* cli(["pause", "--all", ...place.at])
        yield* withApplication(
          place,
          Effect.gen(function*() {
            yield* Mail.enqueue({ to: "ada" })
            yield* Lost.enqueue({ to: "bob" })
            const meanwhile = yield* until(
              found(place),
              ({ codes }) => !codes.includes("workers.none") && codes[0] !== undefined
            )
            expect(meanwhile.codes).toEqual(["tasks.unknown"])
            expect(meanwhile.of("tasks.unknown")).toMatchObject({ count: 1, example: "lost" })
          })
        )
        const after = yield* found(place)
        expect(after.code).toBe(3)
        expect(after.of("workers.none")).toMatchObject({ count: 2 })
      }))
  })
}

for (const database of databases) {
  const test = testOn(database)
  const urlOf = (place: string) =>
    database.kind === "sqlite" ? `sqlite:${place}/tasks.db` : database.kind === "postgres" ? postgresUrl : mysqlUrl

  describe.skipIf(!database.present)(`the doctor on the tables of ${database.name}`, () => {
    test("finds missing tables, columns and indexes, and its words make them", ({ open, place, prefix, tables }) =>
      Effect.gen(function*() {
        const at = ["--url", urlOf(place), "--prefix", prefix]
        const client = yield* open
        yield* client.unsafe("SELECT 1")
        yield* cli(["migrate", "up", ...at])
        const index = tables.done.indexes.find(({ name }) => name.endsWith("done_task"))!.name
        yield* client.unsafe(
          database.kind === "mysql" ? `ALTER TABLE ${tables.done.name} DROP KEY ${index}` : `DROP INDEX ${index}`
        )
        yield* client.unsafe(`DROP TABLE ${tables.vitals.name}`)
        const broken = yield* found({ at })
        expect(broken.code).toBe(3)
        expect(broken.codes).toEqual(["indexes.missing", "tables.missing"])
        expect(broken.of("indexes.missing").example).toBe(index)
        for (const code of broken.codes) {
          yield* client.unsafe(broken.of(code).todo.replace(/^make it again: /, ""))
        }
        expect((yield* found({ at })).codes).toEqual([])
        // There the engine's statements name it.
        if (database.kind !== "mysql") return
        yield* client.unsafe(`ALTER TABLE ${tables.live.name} DROP KEY id`)
        const keyless = yield* found({ at })
        expect(keyless.of("indexes.missing")).toMatchObject({ example: "id" })
        yield* client.unsafe(keyless.of("indexes.missing").todo.replace(/^make it again: /, ""))
        expect((yield* found({ at })).codes).toEqual([])
      }))

    test("finds rows without their task, and tasks without their instance, which its words give back", (where) =>
      Effect.gen(function*() {
        const { open, place, prefix, tables } = where
        const at = ["--url", urlOf(place), "--prefix", prefix]
        const client = yield* open
        yield* Effect.scoped(Effect.gen(function*() {
          const backend = yield* backendOn(client, { prefix })
          yield* backend.attach({ id: instance, host: "h", process: null }, 1)
          const held = task({ taskName: "mail", owner: instance, requeueOnInterrupt: true })
          const other = task({ taskName: "mail", tags: { a: "b" }, idempotencyKey: "k" })
          yield* backend.write(batchOf(1, [held, other]))
          yield* client.unsafe(`DELETE FROM ${tables.live.name} WHERE id = '${other.taskId}'`)
          yield* client.unsafe(`DELETE FROM ${tables.instances.name}`)
          const broken = yield* found({ at })
          expect(broken.codes).toEqual(["orphans.owner", "orphans.keys", "orphans.tags", "workers.none"])
          expect(broken.of("orphans.keys")).toMatchObject({ count: 1, atLeast: false, example: other.taskId })
          expect(broken.of("orphans.owner").example).toBe(`${held.taskId} of instance ${instance}`)

          for (const code of ["orphans.keys", "orphans.tags"]) {
            yield* client.unsafe(broken.of(code).todo.replace(/^remove them: /, ""))
          }
          const [, remove, insert] = /: (DELETE [^;]+); (INSERT .+)$/.exec(broken.of("orphans.owner").todo)!
          yield* client.unsafe(remove!)
          yield* client.unsafe(insert!)
          expect((yield* found({ at })).codes).not.toContain("orphans.owner")
        }))
        const context = yield* application({ url: "", prefix, at, layer: database.layer(place) })
        yield* Effect.gen(function*() {
          const manager = yield* TaskManager
          yield* Effect.eventually(Effect.filterOrFail(
            manager.list({ taskName: "mail" }),
            ({ items }) => items.length === 1 && items[0]!.owner !== instance
          ))
        }).pipe(Effect.provide(context))
      }).pipe(Effect.provide(Reactivity.layer)))
  })
}

const redisKind = kinds.find(({ name }) => name === "Redis")!
describe.skipIf(!redisKind.present)("the doctor on the keys of Redis", () => {
  onKind(redisKind)(
    "finds indexes and keys without their task, and tasks without their instance",
    (place) =>
      Effect.gen(function*() {
        const ids = yield* ended(place)
        const client = yield* Effect.acquireRelease(
          Effect.sync(() => new Redis(redis)),
          (one) => Effect.sync(() => one.disconnect())
        )
        const root = `{${place.prefix}}:`
        yield* Effect.promise(() => client.del(`${root}t:${ids.mail}`))
        yield* Effect.promise(() => client.hset(`${root}keys`, "hash", `${ids.mail} -`))
        const lost = TaskEvent.InstanceId.make("00000000-0000-4000-8000-000000000009")
        const context = yield* application(place)
        yield* Effect.gen(function*() {
          yield* cli(["pause", "--all", ...place.at])
          const { taskId } = yield* Mail.enqueue({ to: "x" }, { delay: "1 hour" })
          const head = yield* Effect.promise(() => client.hget(`${root}t:${taskId}`, "h"))
          const words = head!.split(" ")
          words[1] = lost
          yield* Effect.promise(() => client.hset(`${root}t:${taskId}`, "h", words.join(" ")))
          // What an instance has handlers for is told a moment after it began.
          const broken = yield* until(found(place), ({ codes }) => !codes.includes("workers.none"))
          expect(broken.code).toBe(3)
          expect(broken.codes).toEqual(["orphans.index", "orphans.owner", "orphans.keys"])
          expect(broken.of("orphans.index")).toMatchObject({ count: 1, example: ids.mail })
          expect(broken.of("orphans.owner")).toMatchObject({ count: 1, example: taskId })
        }).pipe(Effect.provide(context))
      })
  )
})
