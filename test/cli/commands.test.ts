/** Tasks through the command line: looked at, retried, cancelled, paused, removed, on every kind of database. */
import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { TaskManager } from "effect-taskflow"
import { application, Charge, cli, ended, jsonOf, kinds, Mail, testOn, until, withApplication } from "./support.js"

for (const kind of kinds) {
  const test = testOn(kind)

  describe.skipIf(!kind.present)(`tasks on ${kind.name}`, () => {
    test("are listed by filter, newest first, as a table and as JSON", (place) =>
      Effect.gen(function*() {
        const ids = yield* ended(place)
        const all = yield* cli(["list", ...place.at])
        expect(all).toMatchObject({ code: 0, note: "2 tasks\n" })
        const [head, first, second] = all.out.split("\n")
        expect(head).toMatch(/^ID +TASK +STATUS +CREATED +TOOK +ATTEMPTS +ERROR$/)
        expect(first).toMatch(new RegExp(`^${ids.charge} +charge +failed +.+ 1 +17 is over the limit$`))
        expect(second).toMatch(new RegExp(`^${ids.mail} +mail +success +`))

        const failed = jsonOf(yield* cli(["list", ...place.at, "--filter", "status:failed task:charge", "--json"]))
        expect(failed).toMatchObject({ nextCursor: null, complete: true })
        expect(failed.items.map((one: any) => one.taskId)).toEqual([ids.charge])
        const none = yield* cli(["list", ...place.at, "-f", "task:nothing"])
        expect(none).toMatchObject({ code: 0, out: "", note: "0 tasks\n" })
      }))

    test("are paged with a cursor", (place) =>
      Effect.gen(function*() {
        yield* ended(place)
        const first = yield* cli(["list", ...place.at, "-n", "1"])
        const cursor = /more: --cursor (\S+)/.exec(first.note)?.[1]
        expect(cursor).toBeDefined()
        const second = yield* cli(["list", ...place.at, "-n", "1", "--cursor", cursor!])
        expect(first.out).toContain("charge")
        expect(second.out).toContain("mail")
        expect(second.out).not.toContain("charge")
      }))

    test("are shown with attempts and log, and their payload only when asked for", (place) =>
      Effect.gen(function*() {
        const ids = yield* ended(place)
        const shown = yield* cli(["show", ids.mail, ...place.at])
        expect(shown.code).toBe(0)
        expect(shown.out).toMatch(/^status +success$/m)
        expect(shown.out).toMatch(/^log$/m)
        expect(shown.out).toContain("mailing ada")
        expect(shown.out).not.toContain("pw-17")
        expect(shown.out).not.toContain("payload")

        const whole = jsonOf(yield* cli(["show", ids.mail, ...place.at, "--arguments", "--json"]))
        expect(whole).toMatchObject({
          taskId: ids.mail,
          payload: { to: "ada", password: "<redacted>" },
          result: "sent to ada",
          attemptList: [{ attempt: 1, outcome: "success" }]
        })
        const failed = yield* cli(["show", ids.charge, ...place.at])
        expect(failed.out).toContain("17 is over the limit")

        const unknown = yield* cli(["show", "01900000-0000-7000-8000-000000000000", ...place.at])
        expect(unknown).toMatchObject({ code: 1, out: "" })
        expect(unknown.note).toContain("there is no task")
        expect(yield* cli(["show", "nonsense", ...place.at])).toMatchObject({ code: 1 })
      }))

    test("are retried, once, by somebody alive, and that is written down", (place) =>
      Effect.gen(function*() {
        const ids = yield* ended(place)
        const nobody = yield* cli(["retry", ids.charge, ...place.at])
        expect(nobody).toMatchObject({ code: 1, out: "" })
        expect(nobody.note).toContain("no living instance has a handler")

        yield* withApplication(
          place,
          Effect.gen(function*() {
            const dry = yield* until(
              cli(["retry", ...place.at, "--filter", "status:failed", "--dry-run"]),
              ({ out }) => !out.includes("no live instance")
            )
            expect(dry).toMatchObject({ code: 0, out: "1 task found, 1 would be retried.\n" })
            const unsure = yield* cli(["retry", ...place.at, "--filter", "status:failed"])
            expect(unsure).toMatchObject({ code: 2, out: "" })
            expect(unsure.note).toContain("say --yes")
            const { retriedAs } = yield* Effect.flatMap(TaskManager, (manager) => manager.get(ids.charge))
            expect(retriedAs).toBeNull()

            const done = jsonOf(yield* cli(["retry", ids.charge, ...place.at, "--json", "--by", "grace"]))
            expect(done).toMatchObject({ originalTaskId: ids.charge })
            yield* Effect.exit(Charge.awaitResult(done.newTaskId))
            const again = yield* cli(["retry", ids.charge, ...place.at])
            expect(again).toMatchObject({ code: 1 })
            expect(again.note).toContain(done.newTaskId)
            const many = yield* cli(["retry", ...place.at, "--filter", "status:failed", "--yes"])
            expect(many.out).toBe("1 task retried; left alone: 1 retried before.\n")

            const { items } = yield* Effect.flatMap(TaskManager, ({ audit }) => audit.page({ who: "grace" }))
            expect(items.map(({ action, outcome, target }) => [action, target, outcome])).toEqual([
              ["retry", ids.charge, "done"]
            ])
          })
        )
      }))

    test("are cancelled while nobody runs them", (place) =>
      Effect.gen(function*() {
        yield* cli(["migrate", "up", ...place.at])
        expect(yield* cli(["pause", "--all", ...place.at])).toMatchObject({ code: 0 })
        const taskIds = yield* withApplication(
          place,
          Effect.map(Mail.enqueueMany(["a", "b", "c"].map((to) => ({ to }))), (all) => all.map((one) => one.taskId))
        )
        expect(yield* cli(["cancel", taskIds[0]!, ...place.at])).toMatchObject({ code: 0, out: "cancelled\n" })
        const twice = yield* cli(["cancel", taskIds[0]!, ...place.at])
        expect(twice).toMatchObject({ code: 1 })
        expect(twice.note).toContain(`${taskIds[0]} is cancelled`)
        const many = yield* cli(["cancel", ...place.at, "-f", "task:mail", "-y", "--json"])
        expect(jsonOf(many)).toEqual({ dryRun: false, matched: 3, more: false, done: 2, skipped: { wrongStatus: 1 } })
      }))

    test("are paused and resumed by name for all instances", (place) =>
      Effect.gen(function*() {
        const context = yield* application(place)
        yield* Effect.gen(function*() {
          expect(yield* cli(["pause", "mail", ...place.at, "--by", "grace"])).toMatchObject({ code: 0 })
          expect((yield* cli(["pause", "mail", ...place.at])).out).toContain("already")
          const manager = yield* TaskManager
          const { paused } = yield* manager.pauses
          expect(paused).toMatchObject([{ target: { _tag: "Task", name: "mail" }, by: "grace" }])
          expect((yield* cli(["pause", "--list", ...place.at])).out).toMatch(/^mail +.+ +grace$/m)
          expect(yield* cli(["resume", "mail", ...place.at])).toMatchObject({ code: 0 })
          expect(yield* cli(["resume", "mail", ...place.at])).toMatchObject({ code: 1 })
          expect((yield* manager.pauses).paused).toEqual([])
        }).pipe(Effect.provide(context))
      }))

    test("are removed by age and status", (place) =>
      Effect.gen(function*() {
        const ids = yield* ended(place)
        const prune = (...words: ReadonlyArray<string>) => cli(["prune", ...place.at, ...words])
        expect(yield* prune("--older-than", "1h", "--yes")).toMatchObject({ code: 0, out: "0 tasks removed\n" })
        expect(yield* prune("--older-than", "0s", "--status", "failed", "--dry-run")).toMatchObject({
          code: 0,
          out: "1 task would be removed\n"
        })
        expect(yield* prune("--older-than", "0s", "--status", "failed")).toMatchObject({ code: 2 })
        expect(yield* prune("--older-than", "0s", "--status", "failed", "-y")).toMatchObject({
          code: 0,
          out: "1 task removed\n"
        })
        expect(yield* cli(["show", ids.charge, ...place.at])).toMatchObject({ code: 1 })
        expect(yield* cli(["show", ids.mail, ...place.at])).toMatchObject({ code: 0 })
        yield* withApplication(
          place,
          Effect.gen(function*() {
            const { items } = yield* Effect.flatMap(TaskManager, ({ audit }) => audit.page({}))
            expect(items.map(({ action, outcome, parameters }) => [action, outcome, JSON.parse(parameters).deleted]))
              .toEqual([["delete_history", "done", 1]])
          })
        )
      }))

    test("stay what they are, and so does the database, whatever is only looked at", (place) =>
      Effect.gen(function*() {
        const ids = yield* ended(place)
        const looks = [["list"], ["show", ids.mail], ["doctor"], ["migrate", "status"], ["pause", "--list"]]
        for (const words of looks) yield* cli([...words, ...place.at])
        yield* withApplication(
          place,
          Effect.gen(function*() {
            const manager = yield* TaskManager
            expect((yield* manager.instances).map(({ id }) => id)).toEqual([manager.instance])
            expect((yield* manager.list({})).items.map(({ taskId }) => taskId)).toEqual([ids.charge, ids.mail])
          })
        )
      }))
  })
}
