/** The page of dead letters in a browser: failures as the errors that they are, retried and dismissed by group and by time. */
import { Effect } from "effect"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, openAs, row, serve } from "./support.js"

const failing = (order: string) =>
  Effect.tap(Charge.enqueue({ order }), ({ taskId }) => TaskflowTest.awaitStatus(taskId, "failed"))

const groups = "[data-group]"

describeInBrowser("dead letters", () => {
  test("come by themselves, lead to their runs, are retried as a group and dismissed until they happen again", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      yield* steps(async () => {
        await openAs(page, served, "ada", "dead-letters")
        await page.getByRole("heading", { name: "No dead letters" }).waitFor()
        await live(page)
      })
      const { taskId } = yield* failing("o-1")
      yield* failing("o-2")
      yield* steps(async () => {
        await page.locator(groups).getByText("the bank declined").waitFor()
        await page.getByRole("link", { name: "Dead letters 1 open error" }).waitFor()
        await page.locator(groups).getByRole("link", { name: "2", exact: true }).click()
        await row(page, taskId).waitFor()
        expect(new URL(page.url()).searchParams.get("q")).toMatch(/^group:/)
        await page.goBack()
        await page.getByRole("button", { name: /^Retry… Declined/ }).click()
        await page.getByText("2 runs can run now").waitFor()
        await page.getByRole("button", { name: "Retry 2 runs" }).click()
        await page.getByRole("button", { name: "Start now" }).click()
        await page.locator(".batch").getByText("2 runs retried").waitFor()
        await page.getByRole("link", { name: "4 failed" }).waitFor()
        await page.getByRole("button", { name: /^Retry… Declined/ }).click()
        await page.getByText("2 will be skipped: already retried").waitFor()
        await page.keyboard.press("Escape")
        await page.getByRole("button", { name: /^Dismiss Declined/ }).click()
        await page.getByRole("heading", { name: "Nothing is open" }).waitFor()
        await page.locator(".nav .pill").waitFor({ state: "detached" })
        await page.getByRole("button", { name: "Show dismissed groups" }).click()
        await page.locator(groups).waitFor()
        await page.getByRole("button", { name: "Open", exact: true }).click()
        await page.locator(groups).waitFor({ state: "detached" })
      })
      yield* steps(() => page.getByRole("button", { name: "Pause live updates" }).click())
      yield* failing("o-3")
      yield* steps(async () => {
        await page.getByRole("link", { name: "Dead letters 1 open error" }).waitFor()
        expect(await page.locator(groups).count()).toBe(0)
        await page.getByRole("button", { name: "Resume live updates" }).click()
        await page.locator(groups).getByText("1 since dismissed").waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("of a time are retried after they were counted, and what hides groups is said", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      yield* failing("o-1")
      yield* steps(async () => {
        await openAs(page, served, "ada", "dead-letters?task=monthly_report&since=1h")
        await page.getByText("Nothing failed in monthly_report within 1 hour.").waitFor()
        await page.getByRole("button", { name: "Clear all" }).click()
        await page.locator(groups).waitFor()
        await page.getByRole("button", { name: "Retry failed…" }).click()
        const dialog = page.getByRole("dialog")
        await dialog.getByText("1 run can run now").waitFor()
        await dialog.getByRole("button", { name: "1 hour" }).click()
        await dialog.getByText("1 run can run now").waitFor()
        await dialog.getByRole("button", { name: "Retry 1 run" }).click()
        await page.getByText("1 run retried").waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("that cannot be loaded are not shown as none, and a viewer changes nothing", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [503] })
      yield* failing("o-1")
      yield* steps(async () => {
        let broken = true
        await page.route(/\/errors\?/, (route) =>
          broken
            ? route.fulfill({ status: 503, json: { _tag: "TaskBackendError", message: "the store did not answer" } })
            : route.continue())
        await openAs(page, served, "bob", "dead-letters")
        await page.getByRole("alert").getByText("The store did not answer.").waitFor()
        broken = false
        await page.getByRole("button", { name: "Try again" }).click()
        await page.locator(groups).waitFor()
        for (const name of [/^Retry… Declined/, /^Dismiss Declined/, /^Retry failed/]) {
          const button = page.getByRole("button", { name })
          expect(await button.getAttribute("aria-disabled")).toBe("true")
          expect(await button.getAttribute("title")).toMatch(/Your access lacks/)
          await button.click({ force: true })
        }
        expect(await page.getByRole("dialog").count()).toBe(0)
        await page.keyboard.press("j")
        await page.keyboard.press("r")
        expect(await page.getByRole("dialog").count()).toBe(0)
      })
    }).pipe(Effect.provide(application)))
})
