/** The whole of it without a mouse: in, through the list, into a run and back, and where the focus is at each step. */
import { Effect } from "effect"
import { TaskflowTest } from "effect-taskflow/testing"
import type { Page } from "playwright-core"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, Mail, password, row, serve } from "./support.js"

/** What has the focus: can it be seen, whole, and does it show that it has it? */
const focus = (page: Page) =>
  page.evaluate(() => {
    const element = document.activeElement
    if (element === null || element === document.body) return "nothing"
    const { bottom, height, left, right, top, width } = element.getBoundingClientRect()
    const name = `${element.tagName} ${element.getAttribute("aria-label") ?? element.textContent?.trim().slice(0, 40)}`
    // What is only there for a step is as small as a dot until it has the focus.
    if (width === 0 || height === 0) return `${name}: not there`
    if (top < -1 || left < -1 || bottom > innerHeight + 1 || right > innerWidth + 1) return `${name}: outside`
    const points = [[left + width / 2, top + height / 2], [left + 2, top + height / 2], [right - 2, top + height / 2]]
    const isCovered = points.every(([x, y]) => {
      const at = document.elementFromPoint(x!, y!)
      // A label over its own field is part of it.
      return at === null || !(element.contains(at) || at.contains(element) || at.closest("label")?.contains(element))
    })
    if (isCovered) return `${name}: under something`
    const marked = [element, element.parentElement, element.closest("label, tr, .tok, .field, .find")].some((one) => {
      if (one === null) return false
      const { boxShadow, outlineStyle, outlineWidth } = getComputedStyle(one)
      return outlineStyle !== "none" && parseFloat(outlineWidth) > 0 || boxShadow !== "none"
    })
    return marked ? null : `${name}: nothing shows that it has the focus`
  })

/** Goes on with Tab until this is reached; each stop on the way is looked at. */
const tabTo = async (page: Page, isThere: () => Promise<boolean>, key = "Tab"): Promise<void> => {
  for (let stops = 0; stops < 60; stops += 1) {
    if (await isThere()) return
    await page.keyboard.press(key)
    expect(await focus(page)).toBe(null)
  }
  throw new Error("60 stops, and it was none of them")
}

const named = (page: Page, name: RegExp) => () =>
  page.evaluate(
    ([source]) => {
      const element = document.activeElement
      return new RegExp(source!).test(element?.getAttribute("aria-label") ?? element?.textContent ?? "")
    },
    [name.source]
  )

describeInBrowser("with the keyboard alone", () => {
  test(
    "one logs in, filters, opens a run, reads its tabs, comes back and retries it; the focus is always seen",
    () =>
      Effect.gen(function*() {
        const served = yield* serve()
        const { page } = yield* visitor({ expects: [401], height: 700 })
        const failed = yield* Charge.enqueue({ order: "o-1" })
        yield* TaskflowTest.awaitStatus(failed.taskId, "failed")
        yield* Effect.forEach(Array.from({ length: 30 }), (_, n) => Mail.enqueue({ to: `u${n}@example.com` }))
        const press = (...keys: ReadonlyArray<string>) =>
          steps(async () => {
            for (const key of keys) await page.keyboard.press(key)
          })
        yield* steps(async () => {
          await page.goto(`${served.url}auth/login?next=runs`)
          await page.getByLabel("Username").waitFor()
          await tabTo(page, () => page.getByLabel("Username").evaluate((one) => one === document.activeElement))
          await page.keyboard.type("ada")
          await page.keyboard.press("Tab")
          await page.keyboard.type(password)
          await page.keyboard.press("Enter")
          await live(page)
          await page.keyboard.press("g")
          await page.keyboard.press("r")
          await page.locator("[data-run]").first().waitFor()
          // Past the skip link, the sections, the filter and the statuses, into the list.
          await tabTo(page, named(page, /^Failed/))
          await page.keyboard.press("Enter")
          await row(page, failed.taskId).waitFor()
          await page.locator("[data-run]").nth(1).waitFor({ state: "detached" })
          await tabTo(page, named(page, /charge_payment/))
          await page.keyboard.press("Enter")
          await page.getByRole("complementary").getByRole("heading", { name: "charge_payment" }).waitFor()
        })
        yield* press("]")
        yield* steps(() => page.getByRole("tab", { name: "Logs", selected: true }).waitFor())
        yield* press("Escape")
        yield* steps(async () => {
          await page.getByRole("complementary").waitFor({ state: "detached" })
          // Back where one was.
          expect(await named(page, /charge_payment/)()).toBe(true)
          expect(await focus(page)).toBe(null)
        })
        yield* press("Enter")
        yield* steps(() => page.getByRole("tab", { name: "Summary", selected: true }).waitFor())
        yield* press("r")
        yield* steps(async () => {
          await page.getByRole("dialog").waitFor()
          expect(await focus(page)).toBe(null)
          await page.keyboard.press("Escape")
          await page.getByRole("dialog").waitFor({ state: "detached" })
          await page.keyboard.press("?")
          await page.getByRole("dialog").waitFor()
          await page.keyboard.press("Escape")
          await page.getByRole("dialog").waitFor({ state: "detached" })
          await page.keyboard.press("g")
          await page.keyboard.press("d")
          await page.waitForURL(/dead-letters/)
        })
      }).pipe(Effect.provide(application)),
    60_000
  )
})
