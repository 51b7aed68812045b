/** What has to fit, is said in full, and does what the help says, in windows of every width. */
import { Effect, Layer } from "effect"
import { TaskSchedule } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, Mail, openAs, row, serve } from "./support.js"

const nightly = TaskSchedule.layer(Mail, { name: "nightly", cron: "0 3 * * *", payload: { to: "a@example.com" } })

describeInBrowser("with little room and much", () => {
  test(
    "names are read, keys do what the help says, and the focus begins where nothing happens",
    () =>
      Effect.gen(function*() {
        const served = yield* serve()
        const { page } = yield* visitor({ width: 1024, height: 768 })
        const failed = yield* Charge.enqueue({ order: "o-1" })
        const other = yield* Charge.enqueue({ order: "o-2" })
        yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
        yield* TaskflowTest.awaitStatus(other.taskId, "failed")
        yield* steps(async () => {
          let send = (): void => {}
          const asked = new Promise<void>((resolve) => (send = resolve))
          await page.route(/Palette-[^/]*\.js$/, (route) => asked.then(() => route.continue()))
          await openAs(page, served, "ada", "instances")
          const details = page.getByRole("button", { name: /^Details of/ })
          for (const width of [1440, 1280, 1100, 1024, 768]) {
            await page.setViewportSize({ width, height: 768 })
            expect((await details.boundingBox())?.width, `the name of an instance at ${width}`).toBeGreaterThan(30)
            const name = await page.locator("tbody th").boundingBox()
            const state = await page.locator("tbody td").first().boundingBox()
            expect(name!.width, `its column at ${width}`).toBeGreaterThan(120)
            expect(state!.x).toBeGreaterThanOrEqual(name!.x + name!.width - 1)
          }
          await page.setViewportSize({ width: 1024, height: 768 })
          await details.click()
          // What the table leaves out is there.
          await page.locator(".more").getByText("Event loop lag").waitFor()
          await page.locator(".more").getByText(/taskflow \d/).waitFor()

          await page.keyboard.press("g")
          await page.keyboard.press("s")
          await page.locator("tbody tr").first().waitFor()
          await page.keyboard.press("/")
          const find = page.getByLabel("Find schedule or task")
          await expect.poll(() => find.evaluate((field) => field === document.activeElement)).toBe(true)
          await page.keyboard.press("Escape")
          await page.keyboard.press("g")
          await page.keyboard.press("r")
          await row(page, failed.taskId).waitFor()
          await live(page)

          // A panel that lies over the list has its keys, and everything is searched from there too.
          await row(page, failed.taskId).getByRole("link").first().click()
          const panel = page.getByRole("dialog", { name: "Run" })
          await panel.locator(".errbox strong").getByText("Declined", { exact: true }).waitFor()
          await page.keyboard.press("Control+k")
          await page.keyboard.press("p")
          expect(await page.getByLabel("Pause live updates").count(), "what is typed is not taken for keys").toBe(1)
          send()
          await page.getByRole("dialog", { name: "Search" }).waitFor()
          await page.keyboard.press("Escape")
          await panel.waitFor()
          await page.keyboard.press("Escape")
          await panel.waitFor({ state: "detached" })

          const opener = row(page, failed.taskId).getByRole("link").first()
          await expect.poll(() => opener.evaluate((link) => link === document.activeElement)).toBe(true)
          await page.keyboard.press("Control+a")
          await page.locator(".bulk").getByText("2 selected").waitFor()
          await page.keyboard.press("r")
          const dialog = page.getByRole("dialog", { name: /^Retry 2/ })
          await dialog.getByText("can run now").waitFor()
          const keep = dialog.getByRole("button", { name: "Keep them" })
          expect(await keep.evaluate((button) => button === document.activeElement)).toBe(true)
          await page.keyboard.press("Enter")
          await dialog.waitFor({ state: "detached" })

          // What is wrong with a filter is said as soon as somebody wants it.
          await page.getByLabel("Filter runs").fill("dur:>abc")
          await page.keyboard.press("Enter")
          await page.getByRole("alert").waitFor()
          await page.keyboard.press("Escape")

          await page.goto(`${served.url}dashboard/audit`)
          await page.locator("tr[data-action=bulk_retry]").getByText("Only counted").waitFor()
        })
      }).pipe(Effect.provide(Layer.provideMerge(nightly, application))),
    60_000
  )
})
