/** The page of instances: what it says of the one that runs, and draining it. */
import { Effect } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, openAs, Report, row, serve } from "./support.js"

const busy = {
  instance: "8f1c2d3e-0000-4000-8000-00000000000a",
  answering: false,
  host: "web-2",
  pid: 991,
  state: "live",
  beatAt: "2026-01-01T00:00:00.000Z",
  draining: false,
  versions: { app: "2026.1", taskflow: "0.1.0" },
  slots: { max: 16, active: 14 },
  waiting: 212,
  lag: 310,
  tasks: ["send_email", "charge_payment"],
  startedAt: "2025-12-31T00:00:00.000Z",
  beatEvery: 10_000,
  memory: { rss: 412_000_000, heapUsed: 96_000_000, heapLimit: 4_300_000_000 },
  waits: { count: 40, p95: 1_250 },
  limits: [{ taskName: "charge_payment", max: 4, active: 4 }]
}
/** One of a version that did not say so much. */
const older = { ...busy, startedAt: null, beatEvery: null, memory: null, waits: null, limits: null }

describeInBrowser("the page of instances", () => {
  test("says how busy each is, and asks one to take no more work", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const { taskId } = yield* Report.enqueue({ month: "2026-01" })
      yield* TaskflowTest.awaitStatus(taskId, "running")
      const { instance } = yield* TaskManager
      const shown = page.locator(`[data-instance="${instance}"]`)
      yield* steps(async () => {
        await openAs(page, served, "ada", "instances")
        await shown.getByText("Live").waitFor()
        await shown.getByText("answers you").waitFor()
        await shown.getByText(/^\d+s ago$/).waitFor()
        await shown.getByRole("button", { name: "Drain…" }).click()
        await page.getByText("No other live instance takes work").waitFor()
        await page.keyboard.press("Escape")
        await shown.getByText("Draining").waitFor({ state: "detached" })
        await shown.getByRole("button", { name: "Drain…" }).click()
        await page.getByRole("dialog").getByRole("button", { name: "Drain", exact: true }).click()
        await shown.getByText("Draining").waitFor()
      })
      expect((yield* Effect.flatMap(TaskManager, (manager) => manager.instances)).map(({ draining }) => draining))
        .toEqual([true])
      yield* steps(async () => {
        await shown.getByRole("button", { name: "Take work again" }).click()
        await shown.getByText("Live").waitFor()
        await shown.getByRole("link").click()
        await row(page, taskId).waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("lets viewers look only, and tells nothing from a failure", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [503] })
      yield* steps(async () => {
        await openAs(page, served, "bob", "instances")
        const drain = page.getByRole("button", { name: "Drain…" })
        await drain.waitFor()
        expect(await drain.getAttribute("aria-disabled")).toBe("true")
        expect(await drain.getAttribute("title")).toMatch(/lacks “drain”/)
        await page.route(
          /\/tasks\/instances$/,
          (route) => route.fulfill({ status: 503, json: { _tag: "TaskBackendError", message: "the database is away" } })
        )
        await page.getByText("Not up to date. The database is away.").waitFor()
        const answering = async (items: ReadonlyArray<unknown>): Promise<void> => {
          await page.unrouteAll()
          await page.route(/\/tasks\/instances$/, (route) => route.fulfill({ json: { items } }))
          await page.reload()
        }
        await answering([busy])
        await page.getByRole("meter", { name: "Slots" }).waitFor()
        expect(await page.getByRole("meter").getAttribute("aria-valuetext")).toBe("14 of 16 slots busy")
        await page.getByText("1 live, 14 of 16 slots busy").waitFor()
        await page.locator(".raised", { hasText: "310 ms" }).waitFor()
        await page.getByText("2 tasks").waitFor()
        await page.getByText("Silent", { exact: true }).waitFor()
        await page.getByText("412 MB").waitFor()
        await page.getByText("p95 wait 1.25 s").waitFor()
        await page.getByRole("button", { name: "Details of web-2" }).click()
        expect(await page.getByRole("meter", { name: "Bound of charge_payment" }).getAttribute("aria-valuenow")).toBe(
          "4"
        )
        await answering([older])
        await page.getByText("It did not say.").waitFor()
        await answering([{ ...busy, state: "dead" }])
        await page.getByText("Dead", { exact: true }).waitFor()
        await answering([])
        await page.getByText("No instances").waitFor()
      })
    }).pipe(Effect.provide(application)))
})
