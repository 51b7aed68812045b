/** Many runs changed by the server, in a browser: undone, watched on every page, stopped, found again after a reload. */
import { Effect } from "effect"
import { TaskflowTest } from "effect-taskflow/testing"
import type { Page } from "playwright-core"
import { expect } from "vitest"
import { axe, describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, openAs, serve, Waiting } from "./support.js"

const failing = (order: string) =>
  Effect.tap(Charge.enqueue({ order }), ({ taskId }) => TaskflowTest.awaitStatus(taskId, "failed"))

const batch = (page: Page) => page.locator("[data-batch]")

/** What axe finds, in both themes and on a phone. */
const look = async (page: Page, state: string): Promise<ReadonlyArray<string>> => {
  const found = [...await axe(page)]
  await page.emulateMedia({ colorScheme: "dark" })
  found.push(...await axe(page, ["color-contrast"]))
  await page.emulateMedia({ colorScheme: "light" })
  await page.setViewportSize({ width: 390, height: 780 })
  found.push(...await axe(page))
  await page.setViewportSize({ width: 1440, height: 900 })
  return found.map((what) => `${state}: ${what}`)
}

describeInBrowser("a batch", () => {
  test("is undone within a few seconds; once more it survives a reload, ends, and leads to its runs", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      yield* Effect.forEach(["o-1", "o-2", "o-3"], failing)
      yield* steps(async () => {
        await openAs(page, served, "ada", "dead-letters")
        await live(page)
        const retry = async (): Promise<void> => {
          await page.getByRole("button", { name: /^Retry… Declined/ }).click()
          await page.getByText("3 runs can run now").waitFor()
          await page.getByText("Nothing happens for 5 s").waitFor()
          await page.getByRole("button", { name: "Retry 3 runs" }).click()
          await page.getByRole("dialog").waitFor({ state: "detached" })
        }
        await retry()
        await batch(page).getByText(/^Retrying 3 runs in [1-5] s$/).waitFor()
        expect(await page.getByRole("status").filter({ hasText: "3 runs will be retried" }).count()).toBe(1)
        expect(await look(page, "waiting")).toEqual([])
        await page.getByRole("button", { name: "Undo" }).focus()
        await page.keyboard.press("Enter")
        await batch(page).getByText("Undone: nothing was retried").waitFor()
        await page.getByRole("status").filter({ hasText: "Undone" }).waitFor()
        expect(await page.evaluate(() => document.activeElement?.tagName)).not.toBe("BODY")
        await page.getByRole("button", { name: "Put away" }).click()
        await batch(page).waitFor({ state: "detached" })

        await retry()
        await page.reload()
        await batch(page).getByText(/^Retrying 3 runs in/).waitFor()
        await page.getByRole("button", { name: "Start now" }).click()
        await batch(page).getByText("3 runs retried").waitFor()
        await page.getByRole("link", { name: /^Dead letters .*1 open error$/ }).waitFor()
        expect(await look(page, "done")).toEqual([])
        await page.reload()
        await batch(page).getByText("3 runs retried").waitFor()
        await page.getByRole("link", { name: "Show runs" }).click()
        await page.locator("[data-run]").nth(5).waitFor()
        expect(new URL(page.url()).searchParams.get("q")).toMatch(/^group:/)
        await batch(page).waitFor()
        await page.getByRole("button", { name: "Put away" }).click()
        await page.reload()
        await page.locator("[data-run]").first().waitFor()
        expect(await batch(page).count()).toBe(0)
      })
    }).pipe(Effect.provide(application)))

  test("that runs tells how far it is, to others too, stays over pages, and is stopped", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const { page: other } = yield* visitor()
      yield* Effect.forEach(Array.from({ length: 60 }, (_, n) => n), (n) => Waiting.enqueue({ n }))
      yield* steps(async () => {
        await openAs(other, served, "bob", "tasks")
        await live(other)
        await openAs(page, served, "ada", "runs?status=pending")
        await live(page)
        await page.locator("[data-run]").first().waitFor()
        await page.getByRole("checkbox", { name: "Select all loaded runs" }).click()
        const everything = page.getByRole("button", { name: /^Select all 60/ })
        if (await everything.count() > 0) await everything.click()
        await page.getByRole("button", { name: "Cancel 60…" }).click()
        const dialog = page.getByRole("dialog")
        await dialog.getByText("60 runs will stop").waitFor()
        await dialog.getByRole("button", { name: "10 a second" }).click()
        await dialog.getByText("About 6 s.").waitFor()
        expect(await look(page, "dialog")).toEqual([])
        await dialog.getByRole("button", { name: "Copy as curl" }).click()
        await page.getByText("Copied").waitFor()
        await dialog.getByRole("button", { name: "1 a second" }).click()
        await dialog.getByRole("button", { name: "Cancel 60 runs" }).click()
        await page.getByRole("button", { name: "Start now" }).click()
        await batch(page).getByText(/^Cancelling: \d+ of 60$/).waitFor()
        await batch(page).getByText(/^About .* left$/).waitFor()
        await page.getByRole("progressbar").waitFor()
        await page.getByRole("link", { name: "Dead letters" }).click()
        await page.getByRole("heading", { name: "No dead letters" }).waitFor()
        await batch(page).getByText(/^Cancelling: [2-9] of 60$/).waitFor()
        expect(await look(page, "running")).toEqual([])
        await page.getByRole("button", { name: "Make small" }).click()
        await batch(page).waitFor({ state: "detached" })
        await page.getByRole("button", { name: /^Cancelling: \d+ of 60$/, expanded: false }).click()
        await batch(other).getByText("Asked for by ada").waitFor()
        const stop = other.getByRole("button", { name: "Stop", exact: true })
        expect(await stop.getAttribute("title")).toMatch(/Your access lacks/)
        await stop.click({ force: true })
        await page.getByRole("button", { name: "Stop", exact: true }).click()
        await batch(page).getByText(/^Stopped: \d+ runs? cancelled$/).waitFor()
        await batch(other).waitFor({ state: "detached" })
      })
    }).pipe(Effect.provide(application)))

  test("that another instance does is asked for, and told to stop until the right one answers", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [404] })
      yield* Effect.forEach(Array.from({ length: 30 }, (_, n) => n), (n) => Waiting.enqueue({ n }))
      yield* steps(async () => {
        // The stream of one that does not do it, and every other answer of it.
        await page.route(
          /\/stream\?/,
          (route) => route.continue({ url: route.request().url().replace("%2Cbatches", "") })
        )
        let asked = 0
        const elsewhere = { status: 404, json: { _tag: "BatchNotFound", batch: "b", message: "not here" } }
        await page.route(/\/batches\/[^/]+(\/stop)?$/, (route) => {
          asked += 1
          return asked % 2 === 1 ? route.fulfill(elsewhere) : route.continue()
        })
        await openAs(page, served, "ada", "runs?status=pending")
        await live(page)
        await page.locator("[data-run]").first().waitFor()
        await page.getByRole("checkbox", { name: "Select all loaded runs" }).click()
        await page.getByRole("button", { name: "Cancel 30…" }).click()
        await page.getByText("30 runs will stop").waitFor()
        await page.getByRole("button", { name: "1 a second" }).click()
        await page.getByRole("button", { name: "Cancel 30 runs" }).click()
        await page.getByRole("button", { name: "Start now" }).click()
        await batch(page).getByText(/^Cancelling: \d+ of 30$/).waitFor()
        await page.getByRole("button", { name: "Stop", exact: true }).click()
        await batch(page).getByText(/^Stopped: \d+ runs? cancelled$/).waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("that nobody knows any more says so, and where to look", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [404] })
      const id = "01890000-0000-7000-8000-000000000000"
      yield* steps(async () => {
        await page.clock.install()
        await page.addInitScript(
          ([key, value]) => sessionStorage.setItem(key!, value!),
          ["taskflow:/tasks/:batches", JSON.stringify([id])]
        )
        await openAs(page, served, "ada", "dead-letters")
        await page.getByRole("heading", { name: "No dead letters" }).waitFor()
        await page.clock.runFor(20_000)
        await batch(page).getByText("How far it is cannot be told").waitFor()
        expect(await look(page, "lost")).toEqual([])
        await page.getByRole("link", { name: "Audit trail" }).click()
        await page.locator("main").getByText("Audit").first().waitFor()
        expect(new URL(page.url()).searchParams.get("target")).toBe(id)
      })
    }).pipe(Effect.provide(application)))
})
