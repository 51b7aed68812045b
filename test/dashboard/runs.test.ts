/** The list of runs in a browser: live, filtered, selected, scrolled, left and come back to. */
import { Effect } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, eventually, steps, test, visitor } from "./browser.js"
import { application, Charge, live, Mail, openAs, Report, row, serve } from "./support.js"

const mails = (count: number, from = 0) =>
  Effect.forEach(
    Array.from({ length: count }, (_, index) => from + index),
    (n) => Effect.map(Mail.enqueue({ to: `user${n}@example.com` }), ({ taskId }) => taskId)
  )

describeInBrowser("the list", () => {
  test("shows a run that was enqueued, and how it goes on, without being asked", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await page.getByText("No runs yet").waitFor()
        await live(page)
      })
      const { taskId } = yield* Report.enqueue({ month: "2026-01" })
      yield* steps(async () => {
        await row(page, taskId).getByText("Running").waitFor()
        await row(page, taskId).getByText("page 4 of 10 of 2026-01").waitFor()
        await page.getByRole("button", { name: "Running 1" }).waitFor()
      })
      yield* Effect.flatMap(TaskManager, (manager) => manager.cancel(taskId))
      yield* steps(() => row(page, taskId).getByText("Cancelled").waitFor())
    }).pipe(Effect.provide(application)))

  test("is narrowed by chips, completion and statuses, and the address says how", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const failed = yield* Charge.enqueue({ order: "o-1" })
      const [mail] = yield* mails(1)
      yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await row(page, mail!).waitFor()
        const field = page.getByLabel("Filter runs")
        await field.fill("task:char")
        await page.getByRole("option", { name: "charge_payment" }).click()
        await row(page, mail!).waitFor({ state: "detached" })
        expect(new URL(page.url()).searchParams.get("q")).toBe("task:charge_payment")
        await field.fill("tag:order=o-1")
        await field.press("Enter")
        expect(await page.locator(".tok").count()).toBe(2)
        await row(page, failed.taskId).waitFor()
        await page.getByRole("button", { name: "Success 0" }).click()
        await page.getByText("No runs match").waitFor()
        await page.getByText(/1 run matches without/).waitFor()
        await page.getByRole("button", { name: "Remove that filter" }).click()
        await row(page, failed.taskId).waitFor()
        await page.goBack()
        await page.getByText("No runs match").waitFor()
        await page.goForward()
        await row(page, failed.taskId).waitFor()
        await page.getByRole("button", { name: "Remove tag:order=o-1" }).click()
        await field.fill("statsu:failed")
        await page.getByText(/there is no key "statsu": did you mean status/).waitFor({ state: "attached" })
        // An empty field offers what one may begin with.
        await field.press("Escape")
        expect(await page.getByRole("option").count()).toBe(0)
        await field.click()
        await page.getByRole("option", { name: /^task:/ }).waitFor()
        await field.press("Escape")
        await page.getByRole("button", { name: "Clear the filter" }).click()
        await row(page, mail!).waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("keeps what is selected through any number of changes, and says first what an action would do", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const first = yield* Charge.enqueue({ order: "o-1" })
      const second = yield* Charge.enqueue({ order: "o-2" })
      yield* TaskflowTest.awaitStatus(first.taskId, "failed")
      yield* TaskflowTest.awaitStatus(second.taskId, "failed")
      const [mail] = yield* mails(1)
      yield* TaskflowTest.awaitStatus(mail!, "success")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await row(page, second.taskId).getByRole("checkbox").click()
        await row(page, first.taskId).getByRole("checkbox").click()
        await row(page, mail!).getByRole("checkbox").click()
      })
      yield* mails(30, 1)
      yield* steps(async () => {
        await page.getByText("30 new runs").waitFor()
        expect(await page.getByRole("row", { selected: true }).count()).toBe(3)
        await page.getByRole("button", { name: "Retry 3…" }).click()
        await page.getByText("2 runs can run now").waitFor()
        await page.getByText("1 will be skipped: their status does not allow it").waitFor()
        await page.getByRole("button", { name: "Retry 2 runs" }).click()
        await page.getByRole("button", { name: "Start now" }).click()
        await page.locator(".batch").getByText("2 runs retried, 1 skipped").waitFor()
        expect(await page.getByRole("row", { selected: true }).count()).toBe(0)
        await page.getByRole("button", { name: "Failed 4" }).waitFor()
      })
    }).pipe(Effect.provide(application)))

  test("asks for rows before the app is there, for nothing else before they are, and hears a slow answer out", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const [first] = yield* mails(1)
      yield* steps(async () => {
        await openAs(page, served, "ada", "tasks")
        await live(page)
        const lists: Array<string> = []
        const figures: Array<string> = []
        const signal = () => {
          let tell = (): void => {}
          return { told: new Promise<void>((resolve) => (tell = resolve)), tell: () => tell() }
        }
        const asked = signal()
        const answers = signal()
        page.on("request", (request) => {
          if (/\/(facets|stats|buckets|definitions)\b/.test(request.url())) figures.push(request.url())
        })
        await page.route(/\/tasks\/\?/, async (route) => {
          lists.push(route.request().url())
          asked.tell()
          await answers.told
          await route.continue()
        })
        await page.route(/\/assets\/main-[^/]+\.js$/, async (route) => {
          await asked.told
          await route.continue()
        })
        await page.clock.install()
        await page.goto(`${served.url}dashboard/runs`)
        await live(page)
        // Longer than what is out of date is asked for again after.
        await page.clock.runFor(2_500)
        expect(lists).toHaveLength(1)
        expect(new URL(lists[0]!).searchParams.get("q")).toBe("since:24h")
        expect(figures).toEqual([])
        answers.tell()
        await row(page, first!).waitFor()
        await page.getByRole("button", { name: "All 1" }).waitFor()
        // Nobody told what happened before the stream began.
        await page.clock.runFor(2_500)
        await eventually(() => expect(lists).toHaveLength(2))
      })
    }).pipe(Effect.provide(application)))

  test("holds so many rows and no more, and says that there are others", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      yield* mails(1)
      yield* steps(async () => {
        await openAs(page, served, "ada", "tasks")
        const cursors: Array<string | null> = []
        await page.route(/\/tasks\/\?/, async (route) => {
          const url = new URL(route.request().url())
          const cursor = url.searchParams.get("cursor")
          cursors.push(cursor)
          const pages = Number(cursor)
          url.searchParams.delete("cursor")
          const answer = await (await route.fetch({ url: url.href })).json()
          const [run] = answer.items
          const items = Array.from({ length: 2_000 }, (_, index) => ({
            ...run,
            taskId: `00000000-0000-7000-8000-${String(99_999 - pages * 2_000 - index).padStart(12, "0")}`
          }))
          await route.fulfill({
            json: { ...answer, items, nextCursor: String(pages + 1), total: 10_000, totalIsFloor: true }
          })
        })
        await page.goto(`${served.url}dashboard/runs`)
        await page.locator("[data-run]").first().waitFor()
        await page.mouse.move(700, 600)
        const list = page.locator(".scroll")
        const toEnd = () => list.evaluate((element) => (element.scrollTop = element.scrollHeight))
        await eventually(async () => {
          await toEnd()
          expect(await page.getByText("The first 6,000 are shown: narrow the list to see others").count()).toBe(1)
        })
        await toEnd()
        await page.waitForFunction(() => {
          const rows = [...document.querySelectorAll("[data-run]")]
          return rows.at(-1)?.getAttribute("aria-rowindex") === "6001"
        })
        expect(new Set(cursors)).toEqual(new Set([null, "1", "2"]))
      })
    }).pipe(Effect.provide(application)))

  test("does not move while somebody reads further down, and counts what is new", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      yield* mails(150)
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await page.locator("[data-run]").first().waitFor()
        const list = page.locator(".scroll")
        await list.evaluate((element) => (element.scrollTop = 1_200))
        await page.waitForFunction(() => document.querySelectorAll("[data-run]").length > 10)
        // A page of a hundred is followed by the next one.
        await page.getByText("150 runs match").waitFor()
      })
      const shown = () =>
        page.evaluate(() => {
          const top = document.querySelector(".scroll")!.getBoundingClientRect().top + 100
          const at = [...document.querySelectorAll<HTMLElement>("[data-run]")].find((one) =>
            one.getBoundingClientRect().top >= top
          )!
          return [at.dataset["run"], Math.round(at.getBoundingClientRect().top)]
        })
      const before = yield* steps(shown)
      yield* mails(12, 200)
      yield* steps(async () => {
        await page.getByRole("button", { name: "12 new runs" }).waitFor()
        const [id, top] = await shown()
        expect(id).toBe(before[0])
        // The bar that says it is all that came above.
        expect(Math.abs(Number(top) - Number(before[1]))).toBeLessThanOrEqual(40)
        expect(await page.locator("[data-run]").count()).toBeLessThan(60)
        await page.keyboard.press(".")
        await page.getByText("12 new runs").waitFor({ state: "detached" })
      })
    }).pipe(Effect.provide(application)))

  test("stands still while it is paused, and counts", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const [first] = yield* mails(1)
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await row(page, first!).waitFor()
        await page.getByRole("button", { name: "Pause live updates" }).click()
      })
      yield* mails(3, 1)
      yield* steps(async () => {
        await page.getByText("3 new runs").waitFor()
        expect(await page.locator("[data-run]").count()).toBe(1)
        await page.getByRole("button", { name: "Resume live updates" }).click()
        await page.waitForFunction(() => document.querySelectorAll("[data-run]").length === 4)
      })
    }).pipe(Effect.provide(application)))

  test("loses what ended long ago when somebody clears the history, and gives a file of what is left", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const [mail] = yield* mails(1)
      yield* TaskflowTest.awaitStatus(mail!, "success")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await row(page, mail!).waitFor()
        const menu = page.getByRole("button", { name: "Export" })
        await menu.click()
        const download = page.waitForEvent("download")
        await page.getByRole("menuitem", { name: /CSV/ }).click()
        expect((await download).suggestedFilename()).toMatch(/^runs-\d{4}-\d\d-\d\d\.csv$/)
        await menu.click()
        await page.getByRole("menuitem", { name: "Clear history…" }).click()
        await page.getByLabel("Older than").fill("0")
        await page.getByRole("button", { name: "Remove runs" }).and(page.locator("[aria-disabled]")).waitFor()
        await page.getByLabel("Older than").fill("1")
        await page.getByLabel("Unit").selectOption("min")
        await page.getByText("No run ended longer ago than this.").waitFor()
        await page.getByRole("button", { name: "Keep them" }).click()
        expect(await row(page, mail!).count()).toBe(1)
      })
    }).pipe(Effect.provide(application)))

  test("opens the same run, tab and filter from a link, and a browser tab that nobody sees holds no stream", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const failed = yield* Charge.enqueue({ order: "o-1" })
      yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
      yield* steps(async () => {
        await openAs(page, served, "ada", `runs?status=failed&run=${failed.taskId}&tab=json&unknown=kept`)
        await page.getByRole("tab", { name: "JSON", selected: true }).waitFor()
        await page.getByRole("button", { name: "Failed 1", pressed: true }).waitFor()
        await page.getByRole("tab", { name: "Arguments" }).click()
        expect(page.url()).toContain("unknown=kept")
        expect(page.url()).toContain("tab=arguments")
        // With the run it hears of more, on a stream of its own.
        await live(page)
        await eventually(() => expect(served.streams()).toBe(1))
        const streams: Array<string> = []
        page.on("request", (request) => {
          if (request.url().includes("/stream")) streams.push(request.url())
        })
        const ended = page.waitForEvent("requestfailed", (request) => request.url().includes("/stream"))
        await page.clock.install()
        await page.evaluate(() => {
          Object.defineProperty(document, "hidden", { get: () => true, configurable: true })
          document.dispatchEvent(new Event("visibilitychange"))
        })
        expect(served.streams()).toBe(1)
        await page.clock.runFor(21_000)
        await ended
        await eventually(() => expect(served.streams()).toBe(0))
        expect(streams).toEqual([])
        await page.evaluate(() => {
          Object.defineProperty(document, "hidden", { get: () => false, configurable: true })
          document.dispatchEvent(new Event("visibilitychange"))
        })
        await page.clock.runFor(1_000)
        await page.locator(".live.on").waitFor()
        expect(streams).toHaveLength(1)
        expect(served.streams()).toBe(1)
      })
    }).pipe(Effect.provide(application)))
})
