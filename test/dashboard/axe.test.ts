/** Every page, theme and state against WCAG 2.2 A and AA: nothing is found. */
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TaskSchedule } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import type { Page } from "playwright-core"
import { expect } from "vitest"
import { axe, describeInBrowser, steps, visitor } from "./browser.js"
import { application, Charge, live, Mail, openAs, Report, row, serve, type Served, Waiting } from "./support.js"

const nightly = TaskSchedule.layer(Mail, { name: "nightly", cron: "0 3 * * *", payload: { to: "a@example.com" } })
const serving = serve({ dashboard: { title: "Acme orders", environment: "production" } })

/** What all walks go through, and none of them changes: an application whose tasks came to different ends, and its server. */
class Site extends Context.Tag("Site")<Site, {
  readonly served: Served
  readonly failed: string
  readonly running: string
}>() {
  static readonly layer = Layer.scoped(
    Site,
    Effect.gen(function*() {
      const served = yield* serving
      const mail = yield* Mail.enqueue({ to: "a@example.com" }, { idempotencyKey: "welcome" })
      const failed = yield* Charge.enqueue({ order: "o-1" })
      const running = yield* Report.enqueue({ month: "2026-01" })
      yield* Waiting.enqueue({ n: 1 }, { delay: "1 hour" })
      yield* TaskflowTest.awaitStatus(mail.taskId, "success")
      yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
      yield* TaskflowTest.awaitStatus(running.taskId, "running")
      return { served, failed: failed.taskId, running: running.taskId }
    })
  ).pipe(Layer.provideMerge(Layer.provideMerge(nightly, application)))
}

const wide = { width: 1440, height: 900 }
const phone = { width: 390, height: 844 }

interface Place {
  readonly page: Page
  readonly served: Served
  readonly isWide: boolean
  readonly failed: string
  readonly running: string
  /** Has axe look at a state of the page. */
  readonly look: (state: string) => Promise<void>
}

const prepared = (size: typeof wide) =>
  Effect.gen(function*() {
    const site = yield* Site
    const { page } = yield* visitor({ ...size, expects: [0, 401, 404] })
    const found: Array<string> = []
    const look = async (state: string): Promise<void> => {
      found.push(...(await axe(page)).map((what) => `${state}: ${what}`))
      // What a theme can change is contrast.
      await page.emulateMedia({ colorScheme: "dark" })
      found.push(...(await axe(page, ["color-contrast"])).map((what) => `${state}, dark: ${what}`))
      await page.emulateMedia({ colorScheme: "light" })
    }
    const place: Place = { ...site, page, isWide: size === wide, look }
    return { found, place }
  })

const tabs = (...names: ReadonlyArray<string>) => async ({ failed, look, page, served }: Place): Promise<void> => {
  await openAs(page, served, "ada")
  for (const tab of names) {
    await page.goto(`${served.url}dashboard/runs?run=${failed}${tab === "summary" ? "" : `&tab=${tab}`}`)
    await page.getByRole("tabpanel").locator("h3, .logs, .log-view").first().waitFor({ state: "attached" })
    await look(`panel ${tab}`)
  }
}

/** A walk through some of the pages: each is a test of its own, for looking at a state takes long. */
const walks: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  "the login": async ({ look, page, served }) => {
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
  },
  "the list of runs": async ({ failed, isWide, look, page, served }) => {
    await openAs(page, served, "ada")
    await live(page)
    await row(page, failed).waitFor()
    await look("runs")
    if (isWide) {
      await row(page, failed).getByRole("checkbox").click()
      await look("selection")
      await page.getByRole("button", { name: /Retry 1…/ }).click()
      await page.getByText("can run now").waitFor()
      await look("dialog")
      await page.getByRole("button", { name: "Keep them" }).click()
    }
    await page.goto(`${served.url}dashboard/runs?status=cancelled`)
    await page.getByText("No runs match").waitFor()
    await look("filtered empty")
    await page.getByLabel("Filter runs").fill("sta")
    await page.getByRole("option").first().waitFor()
    await look("completion")
  },
  "a run beside the list": tabs("summary", "logs"),
  "a run beside the list, further on": tabs("arguments", "related", "json"),
  "a run by itself": async ({ look, page, running, served }) => {
    await openAs(page, served, "ada", `runs/${running}?tab=logs`)
    await page.locator(".logs li").first().waitFor()
    await look("page of a run")
    await page.goto(`${served.url}dashboard/runs/01890000-0000-7000-8000-000000000000`)
    await page.getByText("removed by retention").waitFor()
    await look("run that is gone")
  },
  "tasks": async ({ look, page, served }) => {
    await openAs(page, served, "ada", "tasks")
    await page.locator("[data-task]").first().waitFor()
    await look("tasks")
    await page.getByRole("button", { name: "Pause… send_email" }).click()
    await page.getByRole("dialog").waitFor()
    await look("a task is paused")
    await page.goto(`${served.url}dashboard/tasks?q=nothing`)
    await page.getByText("No task fits").waitFor()
    await look("no task fits")
  },
  "a task": async ({ look, page, served }) => {
    await openAs(page, served, "ada", "tasks/charge_payment")
    await page.getByRole("img", { name: /half took/ }).waitFor()
    await page.locator(".entries li").first().waitFor()
    await page.getByText("View as table").last().click()
    await look("a task")
    await page.getByRole("button", { name: "Enqueue…" }).click()
    await page.getByRole("button", { name: "Enqueue", exact: true }).click()
    await page.getByText("It is needed.").waitFor()
    await page.getByText("Options").click()
    await look("form of a task")
    await page.getByRole("button", { name: "JSON" }).click()
    await look("form of a task, as JSON")
    await page.goto(`${served.url}dashboard/tasks/no_such`)
    await page.getByText("No such task").waitFor()
    await look("no such task")
  },
  "dead letters and schedules": async ({ look, page, served }) => {
    await openAs(page, served, "ada", "dead-letters")
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
  },
  "instances and the trail": async ({ look, page, served }) => {
    await openAs(page, served, "ada", "instances")
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
  },
  "what is beside the pages": async ({ look, page, served }) => {
    await openAs(page, served, "ada", "runs")
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
  }
}

describeInBrowser("axe finds nothing", () => {
  layer(Site.layer, { excludeTestServices: true })((it) => {
    for (const size of [wide, phone]) {
      for (const [where, walk] of Object.entries(walks)) {
        it.scoped(`at ${size.width} pixels, in both themes, in ${where}`, () =>
          Effect.gen(function*() {
            const { found, place } = yield* prepared(size)
            yield* steps(() => walk(place))
            expect(found).toEqual([])
          }))
      }

      it.scoped(`at ${size.width} pixels, in both themes, where the server is gone`, () =>
        Effect.gen(function*() {
          const { found, place: { look, page } } = yield* prepared(size)
          const served = yield* serving
          yield* steps(async () => {
            await openAs(page, served, "ada")
            await live(page)
          })
          yield* served.stop
          yield* steps(async () => {
            await page.getByText("Not live.").waitFor()
            await look("disconnected")
            expect(found).toEqual([])
          })
        }))
    }
  })
})
