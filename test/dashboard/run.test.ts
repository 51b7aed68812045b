/** One run in a browser: its panel, its tabs, its log while it grows, what can be done with it, and the keyboard. */
import { Effect } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, Mail, openAs, Report, row, serve } from "./support.js"

describeInBrowser("a run", () => {
  test("tells what went wrong, when and with what, and is retried from its panel", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const failed = yield* Charge.enqueue({ order: "o-1" }, { idempotencyKey: "order/o-1" })
      yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await row(page, failed.taskId).getByRole("link").click()
        const panel = page.getByRole("complementary", { name: "Run" })
        await panel.getByText("the bank declined o-1").first().waitFor()
        expect(await panel.locator(".timeline li").count()).toBe(4)
        await panel.getByText("order/o-1").waitFor()
        await panel.getByRole("button", { name: "Attempt 2" }).click()
        await panel.locator(".logs .begins").first().waitFor()
        expect(page.url()).toContain("tab=logs")
        await panel.getByRole("tab", { name: "Arguments" }).click()
        await panel.getByText(`"order": "o-1"`).waitFor()
        await panel.getByRole("button", { name: "Retry" }).click()
        await page.getByText("Retried as a new run").waitFor()
        await panel.getByRole("tab", { name: "Related" }).click()
        await panel.getByText("The run that retries it").waitFor()
        const again = panel.getByRole("button", { name: "Retry" })
        expect(await again.getAttribute("aria-disabled")).toBe("true")
        await panel.getByRole("button", { name: "Close" }).click()
        await panel.waitFor({ state: "detached" })
        await page.waitForFunction(
          (id) => document.activeElement?.closest("[data-run]")?.getAttribute("data-run") === id,
          failed.taskId
        )
      })
    }).pipe(Effect.provide(application)))

  test("is followed while it runs: its log grows, tab and scroll stay, and it can be cancelled", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ height: 420 })
      const { taskId } = yield* Report.enqueue({ month: "2026-01" })
      yield* TaskflowTest.awaitStatus(taskId, "running")
      yield* steps(async () => {
        await openAs(page, served, "ada", `runs?run=${taskId}&tab=logs`)
        await live(page)
        const lines = page.locator(".logs li")
        const body = page.getByRole("log")
        await page.waitForFunction(() => document.querySelectorAll(".logs li").length >= 12)
        const atEnd = () => body.evaluate((one) => one.scrollHeight - one.scrollTop - one.clientHeight)
        expect(await atEnd()).toBeLessThan(30)
        await body.evaluate((one) => (one.scrollTop = 0))
        await page.getByRole("button", { name: /Jump to newest \(\d+\)/ }).waitFor()
        const before = await lines.count()
        await page.waitForFunction((count) => document.querySelectorAll(".logs li").length > count, before)
        expect(await body.evaluate((one) => one.scrollTop)).toBe(0)
        expect(await page.getByRole("tab", { name: /Logs/, selected: true }).count()).toBe(1)
        await page.getByRole("button", { name: /Jump to newest/ }).click()
        expect(await atEnd()).toBeLessThan(30)
        await page.getByRole("button", { name: "Cancel run…" }).click()
        await page.getByRole("dialog", { name: "Cancel monthly_report?" }).getByRole("button", { name: "Cancel run" })
          .click()
        await page.getByText("The attempt was told to stop").waitFor()
        await page.locator(".run-head .chip").getByText("Cancelled").waitFor()
      })
      expect((yield* Effect.flatMap(TaskManager, (manager) => manager.get(taskId))).status).toBe("cancelled")
    }).pipe(Effect.provide(application)))

  test("that one person cancels is cancelled before the eyes of another", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page: first } = yield* visitor()
      const { page: second } = yield* visitor()
      const { taskId } = yield* Report.enqueue({ month: "2026-01" })
      yield* TaskflowTest.awaitStatus(taskId, "running")
      yield* steps(async () => {
        await openAs(first, served, "ada", `runs/${taskId}`)
        await openAs(second, served, "bob")
        await live(second)
        await row(second, taskId).getByText("Running").waitFor()
        const cancel = first.getByRole("button", { name: "Cancel run…" })
        await cancel.click()
        await first.getByRole("dialog").getByRole("button", { name: "Cancel run" }).click()
        await row(second, taskId).getByText("Cancelled").waitFor()
        await cancel.waitFor({ state: "detached" })
        await second.goto(`${served.url}dashboard/runs/${taskId}`)
        await second.getByRole("button", { name: "Retry" }).and(second.locator("[aria-disabled]")).waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("is worked with by the keyboard alone", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const first = yield* Charge.enqueue({ order: "o-1" })
      const second = yield* Mail.enqueue({ to: "a@example.com" })
      yield* TaskflowTest.awaitStatus(first.taskId, "failed")
      yield* TaskflowTest.awaitStatus(second.taskId, "success")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await row(page, first.taskId).waitFor()
        const keys = async (...all: ReadonlyArray<string>) => {
          for (const key of all) await page.keyboard.press(key)
        }
        const focused = (id: string) =>
          page.waitForFunction(
            (wanted) => document.activeElement?.closest("[data-run]")?.getAttribute("data-run") === wanted,
            id
          )
        await keys("j")
        await focused(second.taskId)
        await keys("j")
        await focused(first.taskId)
        await keys("Enter")
        await page.getByRole("complementary").getByText("the bank declined o-1").first().waitFor()
        await keys("]")
        await page.getByRole("tab", { name: /Logs/, selected: true }).waitFor()
        await keys("k")
        await page.getByRole("complementary").getByText(second.taskId).waitFor()
        await keys("j", "[")
        await page.getByRole("complementary").getByText("the bank declined o-1").first().waitFor()
        await keys("r")
        await page.getByRole("dialog", { name: "Retry charge_payment?" }).waitFor()
        await keys("Escape", "Escape")
        await page.getByRole("complementary").waitFor({ state: "detached" })
        await focused(first.taskId)
        await keys("x")
        await page.getByText("1 selected").waitFor()
        await keys("Control+a")
        await page.getByText("2 selected").waitFor()
        await keys("Escape", "/")
        await page.waitForFunction(() => document.activeElement?.id === "filter")
        await page.keyboard.type("task:send_email")
        await keys("Enter")
        await row(page, first.taskId).waitFor({ state: "detached" })
        await keys("Escape", "6")
        await page.getByRole("button", { name: /Failed/, pressed: true }).waitFor()
        await keys("1", "p")
        await page.getByText("Paused").waitFor()
        await keys("p", "?")
        await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor()
        await page.getByRole("checkbox", { name: "Single-key shortcuts" }).press("Space")
        await keys("Escape", "p")
        expect(await page.getByText("Paused").count()).toBe(0)
      })
    }).pipe(Effect.provide(application)))

  test("that is not kept says so, and one that cannot be loaded is another thing", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [0, 404, 503] })
      const { taskId } = yield* Mail.enqueue({ to: "a@example.com" })
      yield* TaskflowTest.awaitStatus(taskId, "success")
      yield* steps(async () => {
        await openAs(page, served, "ada", "runs/01890000-0000-7000-8000-000000000000")
        await page.getByText("This run was removed by retention (7 days)").waitFor()
        let broken = true
        await page.route(`**/tasks/${taskId}`, (route) =>
          broken
            ? route.fulfill({ status: 503, json: { _tag: "TaskBackendError", message: "no answer" } })
            : route.continue())
        await page.goto(`${served.url}dashboard/runs/${taskId}`)
        await page.getByText("Could not load this run").waitFor()
        broken = false
        await page.getByRole("button", { name: "Try again" }).click()
        await page.getByRole("heading", { name: "send_email" }).waitFor()
        // Another version of the server has other files: loading the page again helps, and if not, that is said.
        let visits = 0
        page.on("framenavigated", () => (visits += 1))
        await page.route("**/assets/RunView-*", (route) => route.abort())
        await page.goto(`${served.url}dashboard/runs/${taskId}`)
        await page.getByText("A part of this page could not be loaded").waitFor()
        expect(visits).toBe(2)
        await page.unroute("**/assets/RunView-*")
        await page.getByRole("button", { name: "Reload" }).click()
        await page.getByRole("heading", { name: "send_email" }).waitFor()
      })
    }).pipe(Effect.provide(application)))
})
