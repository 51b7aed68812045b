/** The list of runs and its panel in a browser: previews, marks, causes, the panel without room, clearing history, paper. */
import { Effect, Layer, Logger, Redacted, Schema } from "effect"
import { Task, TaskLog } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { axe, describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, Mail, openAs, row, serve } from "./support.js"

/** Fails in two fibers at once, and says so. */
const Sync = Task.make("sync_stock", {
  payload: { warehouse: Schema.String, secret: Schema.Redacted(Schema.String) }
})
const both = (warehouse: string) =>
  Effect.all(
    [
      Effect.die(new RangeError(`${warehouse} has no such shelf`)),
      Effect.die(new TypeError("the scanner said nothing"))
    ],
    { concurrency: 2, discard: true }
  ).pipe(Effect.uninterruptible)
const handler = Sync.toLayer(({ warehouse }) =>
  Effect.zipRight(
    TaskLog.error("no connection", { warehouse }),
    Effect.ensuring(both(warehouse), Effect.die("closing"))
  )
)
const whole = Layer.provideMerge(Layer.provide(handler, Logger.remove(Logger.defaultLogger)), application)
const given = { warehouse: "ams-2", secret: Redacted.make("open sesame") }

describeInBrowser("the list of runs", () => {
  test("says what runs were given, also of those that the stream brought, and what is special about them", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const first = yield* Mail.enqueue({ to: "ada@example.com" }, { idempotencyKey: "welcome/ada" })
      yield* TaskflowTest.awaitStatus(first.taskId, "success")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await row(page, first.taskId).getByText("{\"to\":\"ada@example.com\"}").waitFor()
        const mark = row(page, first.taskId).locator(".mark-icon", { hasText: "Has an idempotency key" })
        expect(await mark.getAttribute("title")).toContain("welcome/ada")
        await page.mouse.move(5, 5)
      })
      const second = yield* Mail.enqueue({ to: "bob@example.com" })
      yield* steps(async () => {
        await row(page, second.taskId).getByText("{\"to\":\"bob@example.com\"}").waitFor()
        // Tags are a column of their own.
        await page.getByRole("button", { name: "Columns" }).click()
        await page.getByLabel("Tags").check()
        await row(page, second.taskId).getByText("domain=example.com").waitFor()
        await page.keyboard.press("Escape")
        expect(page.url()).toContain("cols=tags")
        // The window is said, and one click leads out of it.
        await page.getByRole("button", { name: "All time", exact: true }).click()
        await page.waitForURL(/since=all/)
        await page.goto(
          `${served.url}dashboard/runs?q=task:send_email&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z`
        )
        await page.getByText("2 runs match without a chosen time.").waitFor()
        await page.getByRole("button", { name: "Remove that filter" }).click()
        await row(page, second.taskId).waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("clears history only after it said how many that are", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const { taskId } = yield* Mail.enqueue({ to: "ada@example.com" })
      yield* TaskflowTest.awaitStatus(taskId, "success")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await page.getByRole("button", { name: "Export" }).click()
        await page.getByRole("menuitem", { name: "Clear history…" }).click()
        const dialog = page.getByRole("dialog")
        await dialog.getByText("No run ended longer ago than this.").waitFor()
        const go = dialog.getByRole("button", { name: "Remove runs" })
        expect(await go.getAttribute("aria-disabled")).toBe("true")
        expect(await axe(page)).toEqual([])
        // What ended meanwhile counts too.
        await page.route(/history\?/, (route) =>
          route.request().url().includes("dryRun")
            ? route.fulfill({ json: { deleted: 10_000, complete: false, dryRun: true } })
            : route.fulfill({ json: { deleted: 12, complete: true, dryRun: false } }))
        await dialog.getByLabel("Older than").fill("7")
        await dialog.getByText("10,000+ runs ended longer ago than this.").waitFor()
        await dialog.getByRole("button", { name: "Remove 10,000+ runs" }).click()
        await page.getByText("12 runs removed").waitFor()
      })
    }).pipe(Effect.provide(application)))
})

describeInBrowser("a run that failed in several ways", () => {
  test("shows them as a tree, how many failed so, and leads from a line of the log to its attempt and back", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const { taskId } = yield* Sync.enqueue(given)
      const other = yield* Sync.enqueue({ ...given, warehouse: "ams-2" })
      for (const id of [taskId, other.taskId]) yield* TaskflowTest.awaitStatus(id, "failed")
      yield* steps(async () => {
        await openAs(page, served, "ada", `runs?run=${taskId}`)
        const panel = page.getByRole("complementary", { name: "Run" })
        const tree = panel.getByRole("group", { name: "What went wrong, part by part" })
        await tree.getByText("At the same time").waitFor()
        await tree.getByText("ams-2 has no such shelf").waitFor()
        await tree.getByText("the scanner said nothing").waitFor()
        expect(await tree.locator("ul ul").count()).toBeGreaterThan(0)
        await panel.getByText(/same error in 2 runs since/).waitFor()
        expect(await axe(page)).toEqual([])
        await page.emulateMedia({ colorScheme: "dark" })
        expect(await axe(page, ["color-contrast"])).toEqual([])
        await page.emulateMedia({ colorScheme: "light" })

        await panel.getByRole("tab", { name: "Logs" }).click()
        await panel.getByRole("button", { name: "Show attempt 1" }).click()
        await page.waitForFunction(() => document.activeElement?.getAttribute("data-attempt") === "1")
        await page.keyboard.press("Enter")
        await panel.locator(".logs").waitFor()

        await panel.getByRole("tab", { name: "Related" }).click()
        await panel.getByText("The next run of this task").waitFor()
        expect(await panel.getByText("The run of this task before it").count()).toBe(0)

        await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
        await panel.getByRole("button", { name: "More actions" }).click()
        await page.getByRole("menuitem", { name: "Copy as curl: retry" }).click()
        await page.getByText("Copied").waitFor()
        expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(
          `-X POST '${served.url}${taskId}/retry'`
        )

        await panel.getByRole("tab", { name: "Summary" }).click()
        await panel.getByRole("link", { name: "View group" }).click()
        await page.waitForURL(/q=group/)
        await row(page, other.taskId).waitFor()
      })
    }).pipe(Effect.provide(whole)))
})

describeInBrowser("without room beside the list", () => {
  test("the panel is a modal dialog that holds the focus and gives it back", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ width: 1000, height: 800 })
      const failed = yield* Charge.enqueue({ order: "o-1" })
      const other = yield* Charge.enqueue({ order: "o-2" })
      for (const { taskId } of [failed, other]) yield* TaskflowTest.awaitStatus(taskId, "failed")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await row(page, failed.taskId).getByRole("link").click()
        const panel = page.getByRole("dialog", { name: "Run" })
        await panel.getByText("the bank declined o-1").first().waitFor()
        expect(await axe(page)).toEqual([])
        const isInside = () => page.evaluate(() => document.activeElement?.closest("dialog.over") !== null)
        expect(await isInside()).toBe(true)
        // What is behind it cannot be reached: the focus goes round in it, or to the browser itself.
        for (let index = 0; index < 30; index += 1) {
          await page.keyboard.press("Tab")
          expect(await page.evaluate(() => document.activeElement?.closest(".list") ?? null)).toBe(null)
        }
        // Its keys act all the same.
        await page.keyboard.press("]")
        await panel.getByRole("tab", { name: "Logs", selected: true }).waitFor()
        await page.keyboard.press("k")
        await panel.getByText(other.taskId).waitFor()
        expect(await isInside()).toBe(true)
        // What is done in it is said in it.
        await panel.getByRole("button", { name: "Retry" }).click()
        await panel.getByText("Retried as a new run").waitFor()
        await page.keyboard.press("r")
        await page.keyboard.press("Escape")
        await panel.waitFor({ state: "detached" })
        await page.waitForFunction(
          (id) => document.activeElement?.closest("[data-run]")?.getAttribute("data-run") === id,
          other.taskId
        )
        expect(page.url()).not.toContain("run=")
      })
    }).pipe(Effect.provide(application)))

  test("nothing is cut off at 320 pixels; paper is white and has what is looked at; shapes stay without colours", () =>
    Effect.gen(function*() {
      const served = yield* serve({ dashboard: { title: "Acme orders", environment: "production" } })
      const { page } = yield* visitor({ width: 320, height: 700, expects: [404] })
      const failed = yield* Charge.enqueue({ order: "o-1" })
      yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
      yield* steps(async () => {
        for (
          const path of [
            "runs",
            `runs?run=${failed.taskId}`,
            "tasks",
            "dead-letters",
            "schedules",
            "instances",
            "audit"
          ]
        ) {
          await openAs(page, served, "ada", path)
          await page.locator("main h1, main h2").first().waitFor({ state: "attached" })
          const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          expect(over, path).toBeLessThanOrEqual(0)
        }
        await page.setViewportSize({ width: 1100, height: 800 })
        await openAs(page, served, "ada")
        await row(page, failed.taskId).waitFor()
        await page.emulateMedia({ media: "print", colorScheme: "dark" })
        expect(await row(page, failed.taskId).isVisible()).toBe(true)
        expect(await page.locator(".top").isVisible()).toBe(false)
        const color = () => page.evaluate(() => getComputedStyle(document.body).color)
        expect(await color()).toBe("rgb(21, 24, 29)")
        await page.emulateMedia({ media: "screen", forcedColors: "active", colorScheme: "light" })
        const tick = row(page, failed.taskId).locator(".ticks .bad").first()
        expect(await tick.evaluate((one) => getComputedStyle(one).outlineStyle)).toBe("solid")
        await page.emulateMedia({ media: "screen", forcedColors: "none" })
        // A run that is older than what is kept.
        await page.goto(`${served.url}dashboard/runs/01890a5d-ac96-774b-bcce-b302099a8057`)
        await page.getByText("This run was removed by retention (7 days)").waitFor()
      })
    }).pipe(Effect.provide(application)))
})
