/** The overview in a browser: figures that agree with the runs, charts with one crosshair, what needs somebody. */
import { Effect, Layer, Schema } from "effect"
import { Task, TaskSchedule } from "effect-taskflow"
import { TaskflowTest } from "effect-taskflow/testing"
import type { Page } from "playwright-core"
import { expect } from "vitest"
import { axe, describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, Charge, live, Mail, openAs, Report, row, serve, Waiting } from "./support.js"

const Patient = Task.make("patient", { error: Schema.String, retry: { retries: 1, delay: "1 hour" } })
const patient = Patient.toLayer(() => Effect.fail("not now"))
const whole = Layer.provideMerge(patient, application)

const failing = (order: string) =>
  Effect.tap(Charge.enqueue({ order }), ({ taskId }) => TaskflowTest.awaitStatus(taskId, "failed"))
const sent = (to: string) =>
  Effect.tap(Mail.enqueue({ to }), ({ taskId }) => TaskflowTest.awaitStatus(taskId, "success"))

const figure = (page: Page, name: string) => page.locator(`[data-figure="${name}"]`)
const chart = (page: Page, name: "outcomes" | "duration") => page.locator(`[data-chart=${name}]`)
const crosshair = (page: Page, name: "outcomes" | "duration") =>
  chart(page, name).locator(".u-cursor-x").evaluate((one) => {
    const { left } = one.getBoundingClientRect()
    const over = one.parentElement!.getBoundingClientRect()
    return {
      shown: getComputedStyle(one).display !== "none" && left >= over.left,
      share: (left - over.left) / over.width
    }
  })
const params = (page: Page): URLSearchParams => new URL(page.url()).searchParams

describeInBrowser("the overview", () => {
  test(
    "is the first page, fills by itself, and its figures are those of the runs and lead to them",
    () =>
      Effect.gen(function*() {
        const served = yield* serve()
        const { page } = yield* visitor()
        yield* steps(async () => {
          await openAs(page, served, "ada", "")
          await page.getByRole("heading", { name: "No runs yet" }).waitFor()
          await page.getByRole("link", { name: "Overview" }).and(page.locator("[aria-current=page]")).waitFor()
          await live(page)
        })
        const bad = yield* failing("o-1")
        yield* failing("o-2")
        for (const name of ["a", "b", "c"]) yield* sent(`${name}@example.com`)
        const running = yield* Report.enqueue({ month: "2026-01" })
        yield* Patient.enqueue()
        yield* Waiting.enqueue({ n: 1 })
        yield* TaskflowTest.awaitStatus(running.taskId, "running")
        yield* steps(async () => {
          await figure(page, "Success rate").getByText("60", { exact: true }).waitFor()
          await figure(page, "Running").getByText("1 pending").waitFor()
          await figure(page, "Running").getByText("1 retrying").waitFor()
          expect(await figure(page, "Running").locator(".value b").textContent()).toBe("1")
          await figure(page, "Dead letters").getByText("+2 in 1 hour").waitFor()
          expect(await figure(page, "Dead letters").locator(".value b").textContent()).toBe("2")
          expect(await figure(page, "Throughput").locator(".change").textContent()).toBe("none in the hour before")
          expect(await chart(page, "outcomes").getAttribute("aria-label")).toContain(
            "Last hour: 5 runs ended, 2 failed or were interrupted."
          )
          expect(await chart(page, "duration").getAttribute("aria-label")).toMatch(/half of the runs took less than/)
          const tasks = page.locator(".ov-tasks tbody tr")
          expect(await tasks.evaluateAll((rows) => rows.map((one) => one.getAttribute("data-task")))).toEqual([
            "charge_payment",
            "send_email"
          ])
          expect(await tasks.first().innerText()).toMatch(/100\.0%/)
          // What needs somebody: one group of two runs, told in the navigation too.
          await page.locator(".ov-attention [data-group]").getByRole("link", { name: "2", exact: true }).waitFor()
          await page.getByRole("link", { name: "Dead letters 1 open error" }).waitFor()
          // Each number leads to what it was made of.
          await figure(page, "Running").getByRole("link", { name: "1 retrying" }).click()
          await page.locator("[data-run]").first().waitFor()
          expect(await page.locator("[data-run]").count()).toBe(1)
          await page.getByRole("button", { name: "Retrying 1" }).waitFor()
          await page.goBack()
          await figure(page, "Running").locator(".value").click()
          await row(page, running.taskId).waitFor()
          expect(await page.locator("[data-run]").count()).toBe(1)
          await page.goBack()
          await figure(page, "Success rate").locator(".value").click()
          await row(page, bad.taskId).waitFor()
          expect(await page.locator("[data-run]").count()).toBe(2)
          await page.keyboard.press("g")
          await page.keyboard.press("o")
          await page.locator(".ov-attention [data-group]").getByRole("button", { name: /^Retry…/ }).click()
          await page.getByText("2 runs can run now").waitFor()
          await page.getByRole("button", { name: "Retry 2 runs" }).click()
          await figure(page, "Dead letters").getByText("+4 in 1 hour").waitFor()
        })
        // Dismissed by somebody, it is nobody's task any more, and the navigation hears of it though no run changed.
        yield* steps(async () => {
          const { items } = await (await page.context().request.get(`${served.url}errors`)).json()
          await page.context().request.post(`${served.url}errors/${items[0].fingerprint}/dismiss`, {
            headers: { "x-taskflow": "1" }
          })
          await page.getByRole("link", { name: "Dead letters", exact: true }).first().waitFor()
          await page.locator(".nav .pill").waitFor({ state: "detached" })
        })
      }).pipe(Effect.provide(whole)),
    60_000
  )

  test(
    "has two charts with one crosshair, by pointer and by key, from which a time of runs is chosen",
    () =>
      Effect.gen(function*() {
        const served = yield* serve()
        const { page } = yield* visitor()
        const { taskId } = yield* sent("a@example.com")
        yield* failing("o-1")
        yield* steps(async () => {
          await openAs(page, served, "ada", "?range=15m")
          await chart(page, "outcomes").locator("canvas").waitFor()
          expect(await page.getByRole("button", { name: "15 min" }).getAttribute("aria-pressed")).toBe("true")
          await chart(page, "outcomes").focus()
          await page.keyboard.press("ArrowLeft")
          const latest = await chart(page, "outcomes").getAttribute("data-at")
          expect(latest).toMatch(/Z$/)
          await page.locator(".tip").getByText("Success").waitFor()
          await page.locator(".plot-root [role=status]").getByText(/succeeded/).waitFor()
          expect(await chart(page, "duration").getAttribute("data-at")).toBe(latest)
          await page.keyboard.press("ArrowLeft")
          await expect.poll(() => chart(page, "duration").getAttribute("data-at")).not.toBe(latest)
          const [one, other] = [await crosshair(page, "outcomes"), await crosshair(page, "duration")]
          expect([one.shown, other.shown]).toEqual([true, true])
          expect(Math.abs(one.share - other.share)).toBeLessThan(0.02)
          await page.keyboard.press("End")
          await expect.poll(() => chart(page, "outcomes").getAttribute("data-at")).toBe(latest)
          await page.keyboard.press("Escape")
          await page.locator(".tip").waitFor({ state: "detached" })
          expect((await crosshair(page, "duration")).shown).toBe(false)
          // The pointer, over the other one.
          const box = (await chart(page, "duration").locator(".u-over").boundingBox())!
          await page.mouse.move(box.x + box.width * 0.4, box.y + 40)
          await page.locator(".tip").getByText("p99").waitFor()
          expect(await chart(page, "outcomes").getAttribute("data-at")).not.toBeNull()
          await page.mouse.move(0, 0)
          await page.locator(".tip").waitFor({ state: "detached" })
          // A table of the same.
          await page.getByRole("button", { name: "View as table: Runs by outcome" }).click()
          const table = page.getByRole("region", { name: /2 runs ended/ })
          expect(await table.locator("tbody tr").count()).toBe(15)
          expect(await axe(page)).toEqual([])
          await page.getByRole("button", { name: "View as chart: Runs by outcome" }).click()
          // What changes the theme is drawn anew.
          const pixels = () =>
            chart(page, "outcomes").locator("canvas").evaluate((one: HTMLCanvasElement) => one.toDataURL())
          await chart(page, "outcomes").locator("canvas").waitFor()
          const bright = await pixels()
          await page.emulateMedia({ colorScheme: "dark" })
          await expect.poll(pixels).not.toBe(bright)
          // The charts have the room that there is.
          await page.setViewportSize({ width: 1100, height: 900 })
          await expect.poll(async () => {
            const [host, canvas] = await Promise.all(
              ["", " canvas"].map((inner) => page.locator(`[data-chart=outcomes]${inner}`).boundingBox())
            )
            return Math.abs(host!.width - canvas!.width)
          }).toBeLessThan(2)
          // A drag over the last third shows the runs of that time.
          const over = (await chart(page, "outcomes").locator(".u-over").boundingBox())!
          await page.mouse.move(over.x + over.width * 0.7, over.y + 60)
          await page.mouse.down()
          await page.mouse.move(over.x + over.width - 2, over.y + 60, { steps: 4 })
          await page.mouse.up()
          await row(page, taskId).waitFor()
          const [from, to] = [params(page).get("from")!, params(page).get("to")!]
          expect(Date.parse(to) - Date.parse(from)).toBeGreaterThanOrEqual(4 * 60_000)
          expect(Date.parse(from) % 60_000).toBe(0)
          await page.goBack()
          expect(params(page).get("range")).toBe("15m")
          await chart(page, "outcomes").focus()
          await page.keyboard.press("End")
          await page.keyboard.press("Enter")
          await page.waitForURL(/from=/)
          expect(Date.parse(params(page).get("to")!) - Date.parse(params(page).get("from")!)).toBe(60_000)
          await page.goBack()
          // What was chosen is in the address, and stays.
          await page.getByRole("button", { name: "7 days" }).click()
          await page.waitForURL(/range=7d/)
          await page.reload()
          await page.getByRole("button", { name: "7 days" }).and(page.locator("[aria-pressed=true]")).waitFor()
          await page.getByText("per 2 hours").waitFor({ state: "attached" })
        })
      }).pipe(Effect.provide(whole)),
    60_000
  )

  test(
    "says what cannot be loaded, what is not up to date, and that nothing needs anybody; a viewer changes nothing",
    () =>
      Effect.gen(function*() {
        const served = yield* serve()
        const { page } = yield* visitor({ expects: [0, 503] })
        yield* sent("a@example.com")
        yield* steps(async () => {
          let broken = true
          await page.route(/\/overview\?/, (route) =>
            broken
              ? route.fulfill({ status: 503, json: { _tag: "TaskBackendError", message: "the store did not answer" } })
              : route.continue())
          await openAs(page, served, "bob", "")
          await page.getByRole("alert").getByText("The store did not answer.").waitFor()
          expect(await axe(page)).toEqual([])
          broken = false
          await page.getByRole("button", { name: "Try again" }).click()
          await page.getByText("Nothing needs attention").waitFor()
          broken = true
          await page.getByRole("button", { name: "24 hours" }).click()
          await page.getByText("Could not load the overview").waitFor()
          broken = false
          await page.getByRole("button", { name: "Try again" }).click()
          await page.getByText("per hour").waitFor()
          await live(page)
          broken = true
        })
        yield* failing("o-1")
        yield* steps(async () => {
          await page.getByText("Not up to date. The store did not answer.").waitFor()
          const retry = page.locator(".ov-attention").getByRole("button", { name: /^Retry…/ })
          expect(await retry.getAttribute("title")).toMatch(/Your access lacks/)
          await retry.click({ force: true })
          expect(await page.getByRole("dialog").count()).toBe(0)
        })
        yield* served.stop
        yield* steps(async () => {
          await page.getByText("Not live.").waitFor()
          // What was shown stays.
          await page.locator(".ov-tasks tbody tr").first().waitFor()
        })
      }).pipe(Effect.provide(whole)),
    60_000
  )
})

const nightly = TaskSchedule.layer(Mail, { name: "nightly", cron: "0 3 * * *", payload: { to: "a@example.com" } })

describeInBrowser("the overview, for everybody", () => {
  for (const size of [{ width: 1440, height: 900 }, { width: 390, height: 844 }]) {
    test(
      `axe finds nothing at ${size.width} pixels, in both themes, and nothing is wider than the screen`,
      () =>
        Effect.gen(function*() {
          const served = yield* serve({ dashboard: { title: "Acme orders", environment: "production" } })
          const { page } = yield* visitor({ ...size, expects: [0] })
          const found: Array<string> = []
          const look = async (state: string): Promise<void> => {
            found.push(...(await axe(page)).map((what) => `${state}: ${what}`))
            await page.emulateMedia({ colorScheme: "dark" })
            found.push(...(await axe(page, ["color-contrast"])).map((what) => `${state}, dark: ${what}`))
            await page.emulateMedia({ colorScheme: "light" })
            const wide = await page.locator(".page").evaluate((one) => one.scrollWidth - one.clientWidth)
            expect(wide, state).toBe(0)
          }
          yield* steps(async () => {
            await openAs(page, served, "ada", "")
            await page.getByRole("heading", { name: "No runs yet" }).waitFor()
            await look("empty")
          })
          yield* failing("o-1")
          yield* sent("a@example.com")
          yield* Waiting.enqueue({ n: 1 })
          yield* steps(async () => {
            // Somebody waits, a schedule is late, and another instance is silent.
            await page.route(/\/overview\?/, async (route) => {
              const response = await route.fetch()
              const body = await response.json()
              const ago = (millis: number): string => new Date(Date.now() - millis).toISOString()
              await route.fulfill({
                json: {
                  ...body,
                  waiting: { ...body.waiting, taskId: "x", taskName: "waits_for_a_handler", since: ago(180_000) },
                  late: [{ name: "nightly", taskName: "send_email", slot: ago(300_000) }],
                  previous: { ...body.previous, ended: 9, throughput: 99, successRate: 1 }
                }
              })
            })
            await page.route(/\/instances$/, async (route) => {
              const body = await (await route.fetch()).json()
              const slots = { max: 8, active: 7 }
              await route.fulfill({
                json: {
                  items: [
                    { ...body.items[0], slots },
                    { ...body.items[0], instance: "0189aaaa", host: "web-2", answering: false, state: "dead", slots }
                  ]
                }
              })
            })
            await page.reload()
            await page.getByText("Schedule nightly is late").waitFor()
            await page.getByText("A run waits for 3m").waitFor()
            await page.getByText("Instance web-2 is silent").waitFor()
            await page.locator(".ov-attention [data-group]").waitFor()
            await figure(page, "Running").getByText("of 8 slots").waitFor()
            await chart(page, "duration").locator("canvas").waitFor()
            await look("filled")
            await chart(page, "outcomes").focus()
            await page.keyboard.press("End")
            await page.locator(".tip").waitFor()
            await look("pointed at")
            await page.locator(".ov-attention").getByRole("button", { name: /^Retry…/ }).click()
            await page.getByText("can run now").waitFor()
            await look("a group is retried")
            await page.keyboard.press("Escape")
            await page.getByRole("link", { name: "Show: Schedule nightly is late" }).click()
            await page.getByText("Next times").waitFor()
            expect(params(page).get("open")).toBe("nightly")
            await page.goBack()
            await page.locator(".ov-attention [data-group]").waitFor()
          })
          yield* served.stop
          yield* steps(async () => {
            await page.getByText("Not live.").waitFor()
            await look("disconnected")
            expect(found).toEqual([])
          })
        }).pipe(Effect.provide(Layer.provideMerge(nightly, whole))),
      60_000
    )
  }
})
