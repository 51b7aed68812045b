/** The palette: how it ranks, and that everything is reached from it without a mouse. */
import { Effect, Layer } from "effect"
import { TaskManager, TaskSchedule } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { describe, expect, it } from "vitest"
import { ranked, scoreOf } from "../../src/dashboard/palette/rank.js"
import { axe, describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, live, Mail, openAs, Report, row, serve } from "./support.js"

describe("the ranking", () => {
  const labels = (text: string, all: ReadonlyArray<string>) =>
    ranked(text, all.map((label) => ({ label }))).map((one) => one.label)

  it("prefers the whole name, its beginning, a word, the inside, and letters in order, in this order", () =>
    expect(labels("mail", ["m_a_i_l_box", "email", "send_mail", "mailer", "other", "mail"])).toEqual([
      "mail",
      "mailer",
      "send_mail",
      "email"
    ]))

  it("finds words that begin with a capital letter, and words in any order", () => {
    expect(labels("email", ["sendEmail", "xemail"])).toEqual(["sendEmail", "xemail"])
    expect(labels("pause every", ["Pause everything…", "Pause live updates"])).toEqual(["Pause everything…"])
    expect(labels("every pause", ["Pause everything…"])).toHaveLength(1)
    expect(labels("rsize", ["resize_image"])).toHaveLength(1)
  })

  it("leaves out what lacks a word, and keeps the order of what fits as well", () => {
    expect(labels("zzz", ["abc"])).toEqual([])
    expect(labels("a", ["ab", "ac", "ad"])).toEqual(["ab", "ac", "ad"])
    expect(labels("  ", ["ab", "ac"])).toEqual(["ab", "ac"])
  })

  it("counts other words less than the name", () => {
    expect(scoreOf("schedule", { label: "nightly", words: "send_email Schedule" })).toBeGreaterThan(0)
    expect(scoreOf("send", { label: "x", words: "send" })!).toBeLessThan(scoreOf("send", { label: "send" })!)
    expect(scoreOf("(.*", { label: "nightly" })).toBeNull()
  })
})

const nightly = TaskSchedule.layer(Mail, { name: "nightly", cron: "0 3 * * *", payload: { to: "a@example.com" } })
const whole = Layer.provideMerge(nightly, application)

describeInBrowser("the palette", () => {
  test("reaches pages, tasks, schedules, runs, views and actions by keyboard alone", () =>
    Effect.gen(function*() {
      const views = [{ name: "Slow ones", path: "runs?q=dur:>5s&since=7d" }]
      const served = yield* serve({ dashboard: { views } })
      const { page } = yield* visitor()
      const mail = yield* Mail.enqueue({ to: "a@example.com" })
      const report = yield* Report.enqueue({ month: "2026-01" })
      yield* TaskflowTest.awaitStatus(mail.taskId, "success")
      yield* TaskflowTest.awaitStatus(report.taskId, "running")
      const field = page.getByRole("combobox", { name: "Search pages" })
      const chosen = page.locator(".palette [aria-selected=true]")
      const find = async (text: string, expected: string | RegExp): Promise<void> => {
        await page.keyboard.press("Control+k")
        await field.waitFor()
        await field.fill(text)
        await chosen.filter({ hasText: expected }).waitFor()
      }
      const go = async (text: string, expected: string | RegExp): Promise<void> => {
        await find(text, expected)
        await page.keyboard.press("Enter")
        await field.waitFor({ state: "detached" })
      }
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await row(page, mail.taskId).waitFor()
        // A field has the focus, and gets it back.
        await page.getByLabel("Filter runs").focus()
        await page.keyboard.press("Control+k")
        await field.waitFor()
        expect(await field.evaluate((element) => document.activeElement === element)).toBe(true)
        await page.keyboard.press("ArrowUp")
        await page.keyboard.press("ArrowDown")
        await chosen.filter({ hasText: "Overview" }).waitFor()
        expect(await field.getAttribute("aria-activedescendant")).toBe(await chosen.getAttribute("id"))
        await page.keyboard.press("Escape")
        await field.waitFor({ state: "detached" })
        expect(await page.evaluate(() => document.activeElement?.id)).toBe("filter")

        await go("sched", "Schedules")
        await page.locator("[data-schedule=nightly]").waitFor()
        await go("nightly", "nightly")
        await page.waitForURL((url) => url.searchParams.get("open") === "nightly")
        await go("send_em", "send_email")
        await page.waitForURL((url) => url.pathname.endsWith("/dashboard/tasks/send_email"))
        await go("slow", "Slow ones")
        await page.waitForURL((url) =>
          url.searchParams.get("q") === "dur:>5s" && url.searchParams.get("since") === "7d"
        )
        await go(mail.taskId, "Open")
        await page.getByRole("heading", { name: "send_email" }).waitFor()
        await find("retry send", "it is success")
        await page.keyboard.press("Enter")
        expect(await field.isVisible(), "what cannot be done is not done").toBe(true)
        await page.keyboard.press("Control+k")
        await field.waitFor({ state: "detached" })

        await go("runs", "Runs")
        await row(page, report.taskId).waitFor()
        await go(report.taskId.slice(-8), "Open monthly_report")
        await page.getByRole("heading", { name: "monthly_report" }).waitFor()
        await go("cancel monthly", "Cancel monthly_report")
        await page.getByRole("dialog").getByRole("button", { name: "Cancel run" }).press("Enter")
        await page.getByText("Cancelled").first().waitFor()

        await go("declined o-1", "Runs matching “declined o-1”")
        await page.waitForURL((url) => url.searchParams.get("q") === "declined o-1")
        await go("dark", "Theme: Dark")
        await page.locator("html[data-theme=dark]").waitFor()
        await go("utc", "Times in UTC")
        await go("shortcuts", "Keyboard shortcuts")
        await page.getByText("Search everything").waitFor()
        await page.keyboard.press("Escape")
        await page.keyboard.press("Control+k")
        await page.locator(".palette li").first().filter({ hasText: "Keyboard shortcuts" }).waitFor()
        await page.keyboard.press("Escape")
        await go("clear hist", "Clear history…")
        await page.getByRole("dialog", { name: "Clear history?" }).waitFor()
        await page.keyboard.press("Escape")
      })
    }).pipe(Effect.provide(whole)), 60_000)

  test("says why something cannot be done, and passes axe in both themes and on a phone", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [503] })
      yield* steps(async () => {
        await openAs(page, served, "bob")
        await live(page)
        await page.getByRole("button", { name: "Search" }).click()
        const option = page.getByRole("option", { name: /Pause everything/ })
        await option.getByText("lacks “pause”").waitFor()
        expect(await option.getAttribute("aria-disabled")).toBe("true")
        expect(await axe(page)).toEqual([])
        await page.emulateMedia({ colorScheme: "dark" })
        expect(await axe(page, ["color-contrast"])).toEqual([])
        await page.setViewportSize({ width: 390, height: 844 })
        expect(await axe(page)).toEqual([])
        const { scrollWidth } = await page.evaluate(() => ({ scrollWidth: document.documentElement.scrollWidth }))
        expect(scrollWidth).toBeLessThanOrEqual(390)
        await page.keyboard.press("Escape")
        await page.route(/\/tasks\/definitions$/, (route) =>
          route.fulfill({ status: 503, json: { _tag: "X", message: "away" } }))
        await page.reload()
        await live(page)
        await page.getByRole("button", { name: "Search" }).click()
        await page.getByText("could not be loaded: only pages and actions").waitFor()
      })
    }).pipe(Effect.provide(application)))
})

describeInBrowser("what one person does to the fleet", () => {
  test("another one sees within a second or so: pauses, drains, schedules", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const ada = yield* visitor()
      const bob = yield* visitor()
      const manager = yield* TaskManager
      yield* steps(async () => {
        await openAs(ada.page, served, "ada", "tasks")
        await openAs(bob.page, served, "bob", "tasks")
        await live(ada.page)
        await live(bob.page)
        const mail = bob.page.locator("[data-task=send_email]")
        await mail.waitFor()
        await ada.page.getByRole("button", { name: "Pause… send_email" }).click()
        await ada.page.getByRole("dialog").getByRole("button", { name: "Pause", exact: true }).click()
        await mail.getByText("Paused").waitFor()

        await ada.page.goto(`${served.url}dashboard/instances`)
        await ada.page.getByText("paused since").waitFor()
        await ada.page.getByRole("button", { name: "Pause everything…" }).click()
        await ada.page.getByRole("dialog").getByRole("button", { name: "Pause everything" }).click()
        await bob.page.getByText("Everything is paused.").waitFor()
        await bob.page.getByText("asked for by ada").waitFor()
        expect(await bob.page.getByRole("button", { name: "Resume everything" }).getAttribute("aria-disabled")).toBe(
          "true"
        )
        await ada.page.getByRole("button", { name: "Resume everything" }).click()
        await bob.page.getByText("Everything is paused.").waitFor({ state: "detached" })

        await bob.page.goto(`${served.url}dashboard/schedules`)
        await bob.page.locator("[data-schedule=nightly]").getByText("its task is paused").waitFor()
        await live(bob.page)
      })
      // Not through the dashboard, so nobody tells: it is seen by looking.
      yield* Effect.flatMap(TaskManager, ({ schedules }) => schedules.pause("nightly"))
      yield* steps(() => bob.page.locator("[data-schedule=nightly]").getByText("Paused", { exact: true }).waitFor())
      yield* steps(() => bob.page.goto(`${served.url}dashboard/instances`))
      yield* steps(() => live(bob.page))
      yield* manager.drain(manager.instance)
      yield* steps(() => bob.page.getByText("Draining").waitFor())
    }).pipe(Effect.provide(whole)), 60_000)
})
