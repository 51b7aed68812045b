/** The page of the audit trail: what was done, by whom, to what; narrowed, paged, and only for those who may read it. */
import { Effect, Redacted } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskAuth } from "effect-taskflow/http"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, openAs, password, serve } from "./support.js"

describeInBrowser("the page of the audit trail", () => {
  test("tells who did what to what, and is narrowed by both", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const failed = yield* Charge.enqueue({ order: "o-1" })
      yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
      yield* steps(async () => {
        await openAs(page, served, "bob", `runs/${failed.taskId}`)
        const headers = { "x-taskflow": "1" }
        await page.context().request.post(`${served.url}${failed.taskId}/retry`, { headers })
        await openAs(page, served, "ada", "audit")
        await page.context().request.post(`${served.url}pause`, { headers })
        await page.context().request.post(`${served.url}bulk-retry?dryRun=true`, {
          headers,
          data: { filter: { q: "task:charge_payment" } }
        })
        await page.getByRole("button", { name: "Refresh" }).click()
        await page.getByRole("row", { name: /ada.*Pause everything/ }).waitFor()
        await page.getByRole("row", { name: /ada.*Log in/ }).waitFor()
        const denied = page.getByRole("row", { name: /bob.*Retry a run.*Denied/ })
        await denied.waitFor()

        await page.getByLabel("Action").selectOption("bulk_retry")
        await denied.waitFor({ state: "detached" })
        expect(new URL(page.url()).searchParams.get("action")).toBe("bulk_retry")
        await page.locator("summary").click()
        await page.locator("details .json").getByText("\"task:charge_payment\"").waitFor()
        await page.getByRole("link", { name: "task:charge_payment" }).click()
        await page.locator("[data-run]").first().waitFor()
        await page.goBack()

        await page.getByLabel("Who, in full").fill("nobody")
        await page.getByLabel("Who, in full").press("Enter")
        await page.getByText("No entries match").waitFor()
        await page.getByRole("button", { name: "Clear all" }).click()
        await page.getByRole("link", { name: "bob" }).first().click()
        await page.getByRole("row", { name: /Pause everything/ }).waitFor({ state: "detached" })
        await denied.getByRole("link", { name: failed.taskId }).click()
        await page.getByText("the bank declined o-1").first().waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("goes on to older entries", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const { audit } = yield* TaskManager
      yield* audit.append(Array.from({ length: 150 }, (_, n) => ({
        id: `01890000-0000-7000-8000-${String(n).padStart(12, "0")}`,
        at: 1_000_000 + n,
        who: "program",
        action: "enqueue",
        target: `task_${n}`,
        parameters: "{}",
        outcome: "done"
      })))
      yield* steps(async () => {
        await openAs(page, served, "ada", "audit")
        await page.getByText("task_149", { exact: true }).waitFor()
        expect(await page.locator("tbody tr").count()).toBe(100)
        await page.getByRole("button", { name: "Older entries" }).click()
        await page.getByText("task_0", { exact: true }).waitFor()
        expect(await page.locator("tbody tr").count()).toBe(151)
        expect(await page.getByRole("button", { name: "Older entries" }).count()).toBe(0)
      })
    }).pipe(Effect.provide(application)))

  test("is not in the way of those who may not read it", () =>
    Effect.gen(function*() {
      const served = yield* serve({
        auth: TaskAuth.users({ users: [{ username: "ada", password: Redacted.make(password), access: ["retry"] }] })
      })
      const { page } = yield* visitor()
      yield* steps(async () => {
        await openAs(page, served, "ada", "audit")
        await page.getByText("The audit trail is not shown to you").waitFor()
        await page.getByRole("link", { name: "Instances" }).waitFor()
        expect(await page.getByRole("link", { name: "Audit" }).count()).toBe(0)
      })
    }).pipe(Effect.provide(application)))
})
