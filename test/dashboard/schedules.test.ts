/** The page of schedules: what it says of them, and what can be done. */
import { Duration, Effect, Layer } from "effect"
import { TaskManager, TaskSchedule } from "effect-taskflow"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, Mail, openAs, Report, row, serve } from "./support.js"

const defined = Layer.mergeAll(
  TaskSchedule.layer(Mail, {
    name: "nightly mail",
    cron: "0 3 * * *",
    timezone: "Asia/Tokyo",
    overlap: "skip",
    payload: { to: "a@example.com" }
  }),
  TaskSchedule.layer(Charge, {
    name: "charges",
    every: Duration.hours(2),
    misfire: "all",
    maxCatchUp: 12,
    runOnStartup: true,
    payload: { order: "o-1" }
  }),
  TaskSchedule.layer(Report, { name: "reports", every: "1 day", payload: { month: "2026-01" } })
)
const scheduled = Layer.provideMerge(defined, application)

describeInBrowser("the page of schedules", () => {
  test("says when each runs and how it went, and runs, pauses and resumes it", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const one = (name: string) => page.locator(`[data-schedule="${name}"]`)
      yield* steps(async () => {
        await openAs(page, served, "ada", "schedules")
        const mail = one("nightly mail")
        await mail.getByText("every day at 03:00").waitFor()
        await mail.getByText("0 3 * * * · Asia/Tokyo").waitFor()
        await mail.getByText("Not yet").waitFor()
        await mail.getByText("No runs yet").waitFor()
        await mail.getByText(/^in \d/).waitFor()
        await one("charges").getByText("Failed").waitFor()
        await one("charges").getByText("all, max 12").waitFor()
        await one("charges").getByRole("link", { name: "Last 1 run, 1 not successful" }).waitFor()

        // A column is whole, or not there.
        for (const width of [1440, 1400, 1399, 1280, 1279, 1024]) {
          await page.setViewportSize({ width, height: 900 })
          const cut = await page.locator(".schedules .c-policy, .schedules thead th").evaluateAll((cells) =>
            cells.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)
          )
          expect(cut, `${width}`).toEqual([])
        }
        await page.setViewportSize({ width: 1440, height: 900 })

        await mail.getByRole("button", { name: "Details of nightly mail" }).click()
        expect(new URL(page.url()).searchParams.get("open")).toBe("nightly mail")
        expect(await page.locator(".next-times li").count()).toBe(5)
        await page.locator(".next-times").getByText(/03:00 Asia\/Tokyo/).first().waitFor()
        await page.getByText("\"a@example.com\"").waitFor()

        await mail.getByRole("button", { name: "Pause" }).click()
        await mail.getByText("Paused").waitFor()
        await mail.getByText(/would be/).waitFor()
        await mail.getByRole("button", { name: "Run now…" }).click()
        await page.getByText("The schedule stays paused.").waitFor()
        await page.getByRole("dialog").getByRole("button", { name: "Run now" }).click()
        await mail.getByRole("link", { name: "Last 1 run, 0 not successful" }).waitFor()
        await mail.getByRole("button", { name: "Resume" }).click()
        await mail.getByRole("button", { name: "Pause" }).waitFor()

        await page.getByRole("button", { name: /^Active/ }).click()
        await page.getByLabel("Find schedule or task").fill("charge")
        await mail.waitFor({ state: "detached" })
        expect(new URL(page.url()).searchParams.get("find")).toBe("charge")
        await page.getByLabel("Find schedule or task").fill("nothing of the kind")
        await page.getByText("No schedules match").waitFor()
        await page.getByRole("button", { name: "Clear all" }).click()
        await mail.getByRole("link", { name: /Last 1 run/ }).click()
        await page.locator("[data-run]").first().waitFor()
        expect(new URL(page.url()).searchParams.get("q")).toBe("schedule:\"nightly mail\"")
        expect(await page.locator("[data-run]").count()).toBe(1)
      })
      const { items } = yield* Effect.flatMap(TaskManager, (manager) => manager.list({ schedule: "nightly mail" }))
      yield* steps(() => row(page, items[0]!.taskId).waitFor())
    }).pipe(Effect.provide(scheduled)))

  test("lets viewers look only, and tells nothing from a failure", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [503] })
      yield* steps(async () => {
        await openAs(page, served, "bob", "schedules")
        const pause = page.locator("[data-schedule=reports]").getByRole("button", { name: "Pause" })
        await pause.waitFor()
        expect(await pause.getAttribute("aria-disabled")).toBe("true")
        expect(await pause.getAttribute("title")).toMatch(/lacks “schedules”/)
        await page.route(/\/tasks\/schedules\?/, (route) =>
          route.fulfill({ status: 503, json: { _tag: "TaskBackendError", message: "the database does not answer" } }))
        await page.getByText("Not up to date. The database does not answer.").waitFor()
        await page.locator("[data-schedule=reports]").waitFor()
        await page.reload()
        await page.getByText("Could not load schedules").waitFor()
        await page.unrouteAll()
        await page.getByRole("button", { name: "Try again" }).click()
        await page.locator("[data-schedule=reports]").waitFor()
      })
    }).pipe(Effect.provide(scheduled)))

  test("says what to write where there is none", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      yield* steps(async () => {
        await openAs(page, served, "ada", "schedules")
        await page.getByText("No schedules yet").waitFor()
      })
    }).pipe(Effect.provide(application)))
})
