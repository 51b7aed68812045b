/** The page of tasks in a browser: definitions in words, figures, and how one is paused and goes on. */
import { Effect } from "effect"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, Mail, openAs, row, serve, Waiting } from "./support.js"

describeInBrowser("tasks", () => {
  test("are shown with what they are and how they do, sorted, found, and lead to their runs and errors", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const mail = yield* Mail.enqueue({ to: "a@example.com" })
      const failed = yield* Charge.enqueue({ order: "o-1" })
      yield* Waiting.enqueue({ n: 1 })
      yield* TaskflowTest.awaitStatus(mail.taskId, "success")
      yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
      yield* steps(async () => {
        await openAs(page, served, "ada", "tasks")
        const task = (name: string) => page.locator(`[data-task="${name}"]`)
        await task("charge_payment").getByText("fiber · 2 retries after 20 ms").waitFor()
        await task("send_email").getByText("priority 8").waitFor()
        await task("send_email").getByText("100%").waitFor()
        await page.getByRole("heading", { name: "Names without a handler here" }).waitFor()
        await page.getByRole("table", { name: "Names without a handler here" }).getByText("waits_for_a_handler")
          .waitFor()
        await page.getByRole("table", { name: "Tasks", exact: true }).getByRole("button", { name: "Failed" }).click()
        expect(new URL(page.url()).searchParams.get("sort")).toBe("-failed")
        expect(await page.locator("[data-task]").first().getAttribute("data-task")).toBe("charge_payment")
        await page.getByRole("searchbox", { name: "Find tasks" }).fill("nope")
        await page.getByText("No name contains “nope”.").waitFor()
        await page.getByRole("button", { name: "Clear all" }).click()
        await task("charge_payment").getByTitle(/show its errors/).click()
        await page.locator("[data-group]").getByText("the bank declined").waitFor()
        await page.goBack()
        await task("send_email").getByRole("link", { name: "send_email" }).click()
        await page.getByRole("link", { name: "All runs" }).click()
        await row(page, mail.taskId).waitFor()
        await row(page, failed.taskId).waitFor({ state: "detached" })
      })
    }).pipe(Effect.provide(application)))

  test("are paused after a question, and go on", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const task = page.locator("[data-task=send_email]")
      yield* steps(async () => {
        await openAs(page, served, "ada", "tasks")
        await live(page)
        await page.getByRole("button", { name: "Pause… send_email" }).click()
        await page.getByText("0 waiting, 0 running").waitFor()
        await page.getByRole("button", { name: "Pause", exact: true }).click()
        await page.getByText("send_email is paused").waitFor()
        await task.getByText("Paused").waitFor()
      })
      const { taskId } = yield* Mail.enqueue({ to: "a@example.com" })
      yield* steps(async () => {
        await task.getByRole("link", { name: "1" }).waitFor()
        await page.getByRole("button", { name: "Resume send_email" }).click()
        await page.getByText("send_email goes on").waitFor()
      })
      yield* TaskflowTest.awaitStatus(taskId, "success")
      yield* steps(() => task.getByText("100%").waitFor())
    }).pipe(Effect.provide(application)))

  test("that cannot be loaded are not shown as none, and a viewer pauses nothing", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [503] })
      yield* steps(async () => {
        let broken = true
        await page.route(/\/definitions$/, (route) =>
          broken
            ? route.fulfill({ status: 503, json: { _tag: "TaskBackendError", message: "the store did not answer" } })
            : route.continue())
        await openAs(page, served, "bob", "tasks")
        await page.getByRole("alert").getByText("The store did not answer.").waitFor()
        broken = false
        await page.getByRole("button", { name: "Try again" }).click()
        const button = page.getByRole("button", { name: "Pause… send_email" })
        expect(await button.getAttribute("title")).toBe("Your access lacks “pause”")
        await button.click({ force: true })
        expect(await page.getByRole("dialog").count()).toBe(0)
      })
    }).pipe(Effect.provide(application)))
})
