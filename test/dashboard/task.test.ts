/** One task in a browser: its page, its form, and a run that is retried with changes. */
import { Effect, Layer, Logger, Redacted, Schema } from "effect"
import { Task, TaskManager, TaskSchedule } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { engine } from "../support/engine.js"
import { axe, describeInBrowser, steps, test, visitor } from "./browser.js"
import { Declined, live, openAs, serve, Waiting } from "./support.js"

const Deliver = Task.make("deliver/order", {
  payload: {
    to: Schema.String.pipe(Schema.minLength(3)),
    lines: Schema.Array(Schema.Struct({ sku: Schema.String, count: Schema.Int.pipe(Schema.positive()) })),
    speed: Schema.Literal("slow", "fast"),
    note: Schema.NullOr(Schema.String),
    at: Schema.optional(Schema.Date),
    token: Schema.Redacted(Schema.String)
  },
  error: Declined,
  tags: ({ speed }) => ({ speed }),
  timeout: "30 seconds"
})

const got: Array<string> = []
const handler = Deliver.toLayer(({ lines, speed, to, token }) =>
  Effect.suspend(() => {
    got.push(`${to} ${lines.map(({ count, sku }) => `${count}×${sku}`).join()} ${speed} ${Redacted.value(token)}`)
    return to === "nobody" ? Effect.fail(new Declined({ message: "there is nobody" })) : Effect.void
  })
)
const nightly = TaskSchedule.layer(Deliver, {
  name: "nightly",
  cron: "0 3 * * *",
  payload: { to: "ada", lines: [], speed: "slow", note: null, token: Redacted.make("t") }
})
const application = Layer.provideMerge(
  Layer.provide(Layer.merge(handler, nightly), Logger.remove(Logger.defaultLogger)),
  engine({ maxConcurrentTasks: 4 })
)

const failed = Effect.gen(function*() {
  const { taskId } = yield* Deliver.enqueue({
    to: "nobody",
    lines: [{ sku: "A-1", count: 2 }],
    speed: "slow",
    note: null,
    token: Redacted.make("s3cret")
  })
  yield* TaskflowTest.awaitStatus(taskId, "failed")
  return taskId
})
const place = "tasks/deliver%2Forder"

describeInBrowser("a task", () => {
  test(
    "is shown whole: figures, histogram, errors, runs, schedule, policy, schema; and is enqueued by a form",
    () =>
      Effect.gen(function*() {
        const served = yield* serve()
        const { page } = yield* visitor({ expects: [400] })
        yield* failed
        yield* steps(async () => {
          await openAs(page, served, "ada", "tasks")
          await live(page)
          await page.getByRole("link", { name: "deliver/order" }).click()
          expect(new URL(page.url()).pathname).toMatch(/tasks\/deliver%2Forder$/)
          await page.getByRole("img", { name: /1 runs? ended|1 run ended/ }).or(page.getByRole("img", { name: /^1 / }))
            .first()
            .waitFor()
          await page.getByRole("img", { name: /half took up to/ }).waitFor()
          await page.getByText("View as table").last().click()
          expect(await page.getByRole("table", { name: "How long they took" }).locator("tbody tr").count()).toBe(1)
          await page.locator(".entries").getByText("there is nobody").first().waitFor()
          expect(await page.locator("[data-recent]").count()).toBe(1)
          await page.getByText("nightly", { exact: true }).waitFor()
          await page.getByText("no retries").waitFor()
          await page.getByText("\"writeOnly\": true").waitFor()
          await page.getByRole("button", { name: "1 hour" }).click()
          expect(new URL(page.url()).searchParams.get("window")).toBe("1h")

          await page.getByRole("button", { name: "Enqueue…" }).click()
          const dialog = page.getByRole("dialog", { name: "Enqueue deliver/order" })
          const submit = dialog.getByRole("button", { name: "Enqueue", exact: true })
          await submit.click()
          // What a form sees by itself; the keyboard is where it begins.
          expect(await dialog.getByText("It is needed.").count()).toBe(3)
          expect(await dialog.getByLabel("to", { exact: true }).evaluate((one) => one === document.activeElement)).toBe(
            true
          )
          await page.keyboard.type("ad")
          await dialog.getByRole("button", { name: "Add to lines" }).click()
          await dialog.getByLabel("sku").fill("B-7")
          await dialog.getByLabel("count").fill("0")
          await dialog.getByLabel("speed").selectOption("fast")
          expect(await dialog.getByLabel("token").getAttribute("type")).toBe("password")
          await dialog.getByLabel("token").fill("open sesame")
          await dialog.getByLabel("at", { exact: true }).fill("2026-03-01T12:00:00")
          await submit.click()
          // What the server refuses is said at its field, one after the other.
          const to = dialog.getByLabel("to", { exact: true })
          await dialog.locator(".trouble", { hasText: /at least 3 character/ }).waitFor()
          expect(await to.evaluate((one) => one === document.activeElement)).toBe(true)
          expect(await to.getAttribute("aria-invalid")).toBe("true")
          await to.fill("ada")
          await submit.click()
          await dialog.locator(".trouble", { hasText: /positive/ }).waitFor()
          const count = dialog.getByLabel("count")
          expect(await count.evaluate((one) => one === document.activeElement)).toBe(true)
          // Both views are one value.
          await count.fill("3")
          await dialog.getByRole("button", { name: "JSON" }).click()
          const json = dialog.getByLabel("Payload", { exact: true })
          expect(JSON.parse(await json.inputValue())).toEqual({
            to: "ada",
            lines: [{ sku: "B-7", count: 3 }],
            speed: "fast",
            note: null,
            at: "2026-03-01T11:00:00.000Z",
            token: "open sesame"
          })
          await json.fill("{")
          await submit.click()
          await dialog.getByText(/This is no JSON/).waitFor()
          await json.fill(JSON.stringify({ to: "bob", lines: [], speed: "slow", note: "x", token: "t" }))
          await dialog.getByRole("button", { name: "Form" }).click()
          expect(await to.inputValue()).toBe("bob")
          await dialog.getByText("Options").click()
          await dialog.getByLabel("Tags").fill("by=hand")
          await dialog.getByLabel("Idempotency key").fill("once")
          await submit.click()
          await page.getByText("deliver/order is enqueued.").waitFor()
          await page.locator("[data-recent]").nth(1).waitFor()
          await page.getByRole("button", { name: "Enqueue…" }).click()
          await dialog.getByRole("button", { name: "JSON" }).click()
          await json.fill(JSON.stringify({ to: "bob", lines: [], speed: "slow", note: "x", token: "t" }))
          await dialog.getByText("Options").click()
          await dialog.getByLabel("Idempotency key").fill("once")
          await dialog.getByLabel("Priority").fill("high")
          await submit.click()
          await dialog.getByText("This is no number.").waitFor()
          await dialog.getByLabel("Priority").fill("")
          await dialog.getByLabel("Start").selectOption("delay")
          await dialog.getByLabel("Delay").fill("5")
          await submit.click()
          await dialog.waitFor({ state: "detached" })
          await page.getByRole("link", { name: "Open the run" }).last().click()
          await page.getByRole("heading", { name: "deliver/order" }).waitFor()
        })
        const { items } = yield* (yield* TaskManager).list({ taskName: "deliver/order" })
        expect(items[0]).toMatchObject({ tags: { speed: "slow", by: "hand" }, idempotencyKey: "once" })
        expect(got.at(-1)).toBe("bob  slow t")
      }).pipe(Effect.provide(application)),
    60_000
  )

  test("has its failed run retried with changes, secrets kept", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const taskId = yield* failed
      const found: Array<string> = []
      yield* steps(async () => {
        await openAs(page, served, "ada", `runs?run=${taskId}`)
        await page.getByRole("button", { name: "More actions" }).click()
        await page.getByRole("menuitem", { name: "Retry with changes…" }).click()
        const dialog = page.getByRole("dialog", { name: "Retry deliver/order with changes" })
        await dialog.getByText("It stays what it was").waitFor()
        expect(await dialog.getByLabel("to", { exact: true }).inputValue()).toBe("nobody")
        found.push(...(await axe(page)))
        await dialog.getByLabel("to", { exact: true }).fill("ada")
        await dialog.getByLabel("speed").selectOption("fast")
        await dialog.getByRole("button", { name: "Retry", exact: true }).click()
        await page.getByText("Retried as a new run.").waitFor()
        await page.getByRole("link", { name: "Open the run" }).click()
        await page.getByText("Retry of").first().waitFor()
      })
      expect(found).toEqual([])
      expect(got.at(-1)).toBe("ada 2×A-1 fast s3cret")
      const record = yield* Effect.flatMap(TaskManager, (manager) => manager.get(taskId))
      expect(record.retriedAs).not.toBeNull()
    }).pipe(Effect.provide(application)))

  test("without a handler says so, one that nobody knows is not found, and a viewer may do nothing", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [404] })
      const taskId = yield* failed
      yield* Waiting.enqueue({ n: 1 })
      yield* steps(async () => {
        await openAs(page, served, "bob", place)
        const button = page.getByRole("button", { name: "Enqueue…" })
        expect(await button.getAttribute("title")).toBe("Your access lacks “enqueue”")
        await button.click({ force: true })
        expect(await page.getByRole("dialog").count()).toBe(0)
        await page.goto(`${served.url}dashboard/runs?run=${taskId}`)
        await page.getByRole("button", { name: "More actions" }).click()
        expect(await page.getByRole("menuitem", { name: "Retry with changes…" }).getAttribute("aria-disabled")).toBe(
          "true"
        )
        await page.goto(`${served.url}dashboard/tasks/waits_for_a_handler`)
        await page.getByText("No handler for this name is known").waitFor()
        expect(await page.locator("[data-recent]").count()).toBe(1)
        expect(await page.getByRole("button", { name: "Enqueue…" }).getAttribute("aria-disabled")).toBe("true")
        await page.goto(`${served.url}dashboard/tasks/no_such`)
        await page.getByText("Nobody registered “no_such”").waitFor()
      })
    }).pipe(Effect.provide(application)))
})
