/** `key`, and what is shown of a database whose tasks are encrypted. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { TaskManager } from "effect-taskflow"
import { application, Charge, cli, jsonOf, Mail, sqlite, testOn, until, withApplication } from "./support.js"

const test = testOn(sqlite)

describe("key", () => {
  it.effect("makes a key that a cipher takes, another one each time", () =>
    Effect.gen(function*() {
      const [one, other] = [yield* cli(["key"]), yield* cli(["key", "--id", "2026"])]
      expect(one.code).toBe(0)
      expect(Buffer.from(one.out.trim(), "base64").length).toBe(32)
      expect(other.out).toMatch(/^2026:[A-Za-z0-9+/]{43}=\n$/)
      expect(other.out).not.toContain(one.out.trim())
      expect(jsonOf(yield* cli(["key", "--id", "a", "--json"]))).toEqual({ id: "a", key: expect.any(String) })
    }))

  test("says which keys the tasks of a database need, and which are here", (place) =>
    Effect.gen(function*() {
      const keys = (yield* cli(["key", "--id", "a"])).out.trim()
      const others = (yield* cli(["key", "--id", "a"])).out.trim()
      const key = Redacted.make(keys.slice(2))
      const ids = yield* withApplication(
        place,
        Effect.gen(function*() {
          const { taskId } = yield* Mail.enqueue({ to: "ada" })
          yield* Mail.awaitResult(taskId)
          const charge = yield* Charge.enqueue({ amount: 1 })
          yield* Effect.exit(Charge.awaitResult(charge.taskId))
          return { mail: taskId, charge: charge.taskId }
        }),
        { keys: [{ id: "a", key }] }
      )
      const check = (TASKFLOW_ENCRYPTION_KEYS?: string) =>
        cli(
          ["key", "--check", ...place.at],
          TASKFLOW_ENCRYPTION_KEYS === undefined ? {} : { env: { TASKFLOW_ENCRYPTION_KEYS } }
        )
      expect((yield* check(keys)).out).toMatch(/^a +2 +yes$/m)
      expect(yield* check(keys)).toMatchObject({ code: 0 })
      for (const wrong of [undefined, others]) {
        const said = yield* check(wrong)
        expect(said.code).toBe(1)
        expect(said.out).toMatch(/^a +2 +no +/m)
      }
      const unusable = yield* check("a:c2hvcnQ=")
      expect(unusable).toMatchObject({ code: 2 })
      expect(unusable.note).not.toContain("c2hvcnQ")

      const shown = yield* cli(["show", ids.mail, "--arguments", ...place.at])
      expect(shown.out).toContain("<encrypted>")
      expect(shown.out).not.toContain("ada")
      const read = yield* cli(["show", ids.mail, "--arguments", ...place.at], {
        env: { TASKFLOW_ENCRYPTION_KEYS: keys }
      })
      expect(read.out).toContain("\"to\": \"ada\"")

      const context = yield* application(place, { keys: [{ id: "a", key }] })
      yield* Effect.gen(function*() {
        yield* until(
          cli(["retry", ids.charge, "--dry-run", ...place.at], { env: { TASKFLOW_ENCRYPTION_KEYS: keys } }),
          ({ code }) => code === 0
        )
        const blind = yield* cli(["retry", ids.charge, ...place.at])
        expect(blind).toMatchObject({ code: 1, out: "" })
        expect(blind.note).toContain("decrypt")
        const retried = yield* cli(["retry", ids.charge, "--json", ...place.at], {
          env: { TASKFLOW_ENCRYPTION_KEYS: keys }
        })
        expect(retried.code).toBe(0)
        yield* Effect.exit(Charge.awaitResult(jsonOf(retried).newTaskId))
        const again = yield* Effect.flatMap(TaskManager, (manager) => manager.get(jsonOf(retried).newTaskId))
        expect(again.failure?.message).toBe("1 is over the limit")
      }).pipe(Effect.provide(context))
    }))
})
