/** Every page, theme and state against WCAG 2.2 A and AA: nothing is found. */
import { Effect, Layer } from "effect"
import { TaskSchedule } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { axe, describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, Mail, openAs, Report, row, serve, Waiting } from "./support.js"

const nightly = TaskSchedule.layer(Mail, { name: "nightly", cron: "0 3 * * *", payload: { to: "a@example.com" } })
const whole = Layer.provideMerge(nightly, application)

describeInBrowser("axe finds nothing", () => {
  const wide = { width: 1440, height: 900 }
  const phone = { width: 390, height: 844 }
  for (const size of [wide, phone]) {
    test(`at ${size.width} pixels, in both themes`, () =>
      Effect.gen(function*() {
        const served = yield* serve({ dashboard: { title: "Acme orders", environment: "production" } })
        const { page } = yield* visitor({ ...size, expects: [0, 401, 404] })
        const mail = yield* Mail.enqueue({ to: "a@example.com" }, { idempotencyKey: "welcome" })
        const failed = yield* Charge.enqueue({ order: "o-1" })
        const running = yield* Report.enqueue({ month: "2026-01" })
        yield* Waiting.enqueue({ n: 1 }, { delay: "1 hour" })
        yield* TaskflowTest.awaitStatus(mail.taskId, "success")
        yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
        yield* TaskflowTest.awaitStatus(running.taskId, "running")
        const found: Array<string> = []
        const look = async (state: string): Promise<void> => {
          found.push(...(await axe(page)).map((what) => `${state}: ${what}`))
          // What a theme can change is contrast.
          await page.emulateMedia({ colorScheme: "dark" })
          found.push(...(await axe(page, ["color-contrast"])).map((what) => `${state}, dark: ${what}`))
          await page.emulateMedia({ colorScheme: "light" })
        }
        yield* steps(async () => {
          await page.setContent("<main><img src='data:,'></main>")
          expect(await axe(page), "axe finds what is wrong").toContainEqual(expect.stringContaining("image-alt"))
          await page.goto(`${served.url}auth/login`)
          await page.getByLabel("Username").waitFor()
          await look("login")
          await page.getByLabel("Username").fill("ada")
          await page.getByLabel("Password").fill("wrong")
          await page.getByRole("button", { name: "Log in" }).click()
          await page.getByText("is wrong").waitFor()
          await look("login refused")
          await openAs(page, served, "ada")
          await live(page)
          await row(page, failed.taskId).waitFor()
          await look("runs")
          if (size === wide) {
            await row(page, failed.taskId).getByRole("checkbox").click()
            await look("selection")
            await page.getByRole("button", { name: /Retry 1…/ }).click()
            await page.getByText("can run now").waitFor()
            await look("dialog")
            await page.getByRole("button", { name: "Keep them" }).click()
          }
          for (const tab of ["", "logs", "arguments", "related", "json"]) {
            await page.goto(`${served.url}dashboard/runs?run=${failed.taskId}${tab === "" ? "" : `&tab=${tab}`}`)
            await page.getByRole("tabpanel").locator("h3, .logs, .log-view").first().waitFor({ state: "attached" })
            await look(`panel ${tab}`)
          }
          await page.goto(`${served.url}dashboard/runs/${running.taskId}?tab=logs`)
          await page.locator(".logs li").first().waitFor()
          await look("page of a run")
          await page.goto(`${served.url}dashboard/runs/01890000-0000-7000-8000-000000000000`)
          await page.getByText("not kept any more").waitFor()
          await look("run that is gone")
          await page.goto(`${served.url}dashboard/runs?status=cancelled`)
          await page.getByText("No runs match").waitFor()
          await look("filtered empty")
          await page.getByLabel("Filter runs").fill("sta")
          await page.getByRole("option").first().waitFor()
          await look("completion")
          await page.goto(`${served.url}dashboard/tasks`)
          await page.locator("[data-task]").first().waitFor()
          await look("tasks")
          await page.getByRole("button", { name: "Pause… send_email" }).click()
          await page.getByRole("dialog").waitFor()
          await look("a task is paused")
          await page.goto(`${served.url}dashboard/tasks?q=nothing`)
          await page.getByText("No task fits").waitFor()
          await look("no task fits")
          await page.goto(`${served.url}dashboard/dead-letters`)
          await page.locator("[data-group]").waitFor()
          await look("dead letters")
          await page.getByRole("button", { name: "Retry failed…" }).click()
          await page.getByText("can run now").waitFor()
          await look("what failed is retried")
          await page.goto(`${served.url}dashboard/dead-letters?show=dismissed`)
          await page.getByText("Nothing is dismissed").waitFor()
          await look("nothing dismissed")
          await page.goto(`${served.url}dashboard/schedules?open=nightly`)
          await page.getByText("Next times").waitFor()
          await look("schedules")
          await page.getByRole("button", { name: "Run now…" }).click()
          await page.getByText("starts at once").waitFor()
          await look("schedule, run now")
          await page.goto(`${served.url}dashboard/schedules?find=nothing`)
          await page.getByText("No schedules match").waitFor()
          await look("schedules, filtered empty")
          await page.goto(`${served.url}dashboard/instances`)
          await page.getByText("answers you").waitFor()
          await page.getByRole("button", { name: /^Details of/ }).click()
          await page.getByText("Bounds of tasks").waitFor()
          await look("instances")
          await page.getByRole("button", { name: "Drain…" }).click()
          await page.getByText("starts nothing more").waitFor()
          await look("drain")
          await page.goto(`${served.url}dashboard/audit`)
          await page.locator("tbody tr").first().waitFor()
          await look("audit")
          await page.goto(`${served.url}dashboard/runs`)
          await page.getByRole("button", { name: /Account/ }).click()
          await look("account")
          await page.keyboard.press("Escape")
          await page.getByRole("button", { name: "Saved views" }).click()
          await page.getByRole("button", { name: "Save this view…" }).click()
          await page.getByText("are kept under a name").waitFor()
          await look("a view is saved")
          await page.getByRole("button", { name: "Not now" }).click()
          await page.getByRole("button", { name: /Account/ }).click()
          await page.getByRole("button", { name: "Keyboard shortcuts" }).click()
          await look("help")
        })
        yield* served.stop
        yield* steps(async () => {
          await page.keyboard.press("Escape")
          await page.getByText("Not live.").waitFor()
          await look("disconnected")
          expect(found).toEqual([])
        })
      }).pipe(Effect.provide(whole)), 120_000)
  }
})
