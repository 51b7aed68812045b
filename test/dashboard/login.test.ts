/** The way in and out: the login, its refusals, the way back, a session that ends, and what nobody sees without one. */
import { Effect } from "effect"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, auth, live, Mail, openAs, password, row, serve } from "./support.js"

const fill = async (page: import("playwright-core").Page, name: string, secret: string) => {
  await page.getByLabel("Username").fill(name)
  await page.getByLabel("Password").fill(secret)
  await page.getByRole("button", { name: "Log in" }).click()
}

describeInBrowser("the login", () => {
  test("refuses a wrong password, lets a right one in, and comes back to where one wanted to go", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [401] })
      yield* steps(async () => {
        await page.goto(`${served.url}dashboard/runs?q=task%3Asend_email&since=all`)
        expect(page.url()).toContain("/tasks/auth/login?next=")
        await expectTitle(page, "Log in · Background tasks")
        await fill(page, "ada", "wrong")
        await page.getByText("The username or the password is wrong.").waitFor()
        await fill(page, "ada", password)
        await page.waitForURL(`${served.url}dashboard/runs?q=task%3Asend_email&since=all`)
        await live(page)
        expect(await page.locator(".tok").innerText()).toMatch(/task:\s*send_email/)
      })
    }).pipe(Effect.provide(application)))

  test("says how long to wait after too many wrong ones", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor({ expects: [401, 429] })
      yield* steps(async () => {
        await page.goto(`${served.url}auth/login`)
        for (let tries = 0; tries < 5; tries += 1) {
          await fill(page, "ada", `wrong ${tries}`)
          await page.getByRole("button", { name: "Log in" }).and(page.locator(":not([aria-disabled])")).waitFor()
        }
        await fill(page, "ada", password)
        await page.getByText(/Too many attempts\. Try again in \d+ s\./).waitFor()
        expect(await page.getByRole("button", { name: "Log in" }).getAttribute("aria-disabled")).toBe("true")
      })
    }).pipe(Effect.provide(application)))

  test("never leads to another place than this dashboard", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      // The page of the login before still asks while it is logged out.
      const { page } = yield* visitor({ expects: [401] })
      yield* steps(async () => {
        for (
          const next of [
            "https://evil.example/",
            "//evil.example/x",
            "javascript:alert(1)",
            "../../other",
            "\\\\evil.example"
          ]
        ) {
          await page.context().clearCookies()
          await page.goto(`${served.url}auth/login?next=${encodeURIComponent(next)}`)
          await fill(page, "ada", password)
          await page.waitForURL(`${served.url}dashboard/`)
        }
      })
    }).pipe(Effect.provide(application)))

  test("asks again where a session ended, over what was shown, and goes on", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { context, page } = yield* visitor({ expects: [401] })
      const first = yield* Mail.enqueue({ to: "a@example.com" })
      yield* TaskflowTest.awaitStatus(first.taskId, "success")
      yield* steps(async () => {
        await openAs(page, served, "ada", "runs?q=task%3Asend_email")
        await row(page, first.taskId).waitFor()
        // Just then: with what is asked beside the list it would be known before, and nothing could be clicked any more.
        const isQuestion = ({ pathname, searchParams }: URL) =>
          /^\/tasks\/?$/.test(pathname) && searchParams.get("q")?.includes("status:failed") === true
        await page.route(isQuestion, async (route) => {
          await context.request.post(`${served.url}auth/logout`, { headers: { "x-taskflow": "1" } })
          await route.continue()
        }, { times: 1 })
        await page.getByRole("button", { name: /Failed/ }).click()
        await page.getByRole("dialog", { name: "Your session ended" }).waitFor()
        expect(await page.locator(".tok").count()).toBe(1)
        expect(await row(page, first.taskId).count()).toBe(1)
        await fill(page, "ada", password)
        await page.getByRole("dialog").waitFor({ state: "detached" })
        await page.getByText("No runs match").waitFor()
        expect(page.url()).toContain("status=failed")
      })
    }).pipe(Effect.provide(application)))

  test("is where one is after logging out, and nothing else is open then", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { context, page } = yield* visitor({ expects: [401] })
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        const before = await context.cookies()
        await page.getByRole("button", { name: "Account: ada" }).click()
        await page.getByRole("button", { name: "Log out" }).click()
        await page.getByRole("heading", { name: "Log in" }).waitFor()
        await page.goto(`${served.url}dashboard/runs`)
        expect(page.url()).toContain("auth/login")
        // The cookie that was valid before opens nothing either.
        await context.addCookies(before)
        const paths = [
          "",
          "metrics",
          "facets",
          "stream",
          "changes",
          "stats",
          "buckets",
          "definitions",
          "export.csv",
          "audit",
          "openapi.json"
        ]
        for (const path of paths) {
          const { status } = await context.request.get(`${served.url}${path}`).then((answer) => ({
            status: answer.status()
          }))
          expect(status, path).toBe(401)
        }
      })
    }).pipe(Effect.provide(application)))

  test("shows a viewer everything, and says why nothing can be changed", () =>
    Effect.gen(function*() {
      const served = yield* serve({ auth })
      const { page } = yield* visitor()
      const { taskId } = yield* Mail.enqueue({ to: "a@example.com" })
      yield* TaskflowTest.awaitStatus(taskId, "success")
      yield* steps(async () => {
        await openAs(page, served, "bob")
        await page.getByText("Read only").waitFor()
        await row(page, taskId).getByRole("checkbox").click()
        const retry = page.getByRole("button", { name: /Retry 1/ })
        expect(await retry.getAttribute("aria-disabled")).toBe("true")
        expect(await retry.getAttribute("title")).toContain("retry")
        await retry.click({ force: true })
        expect(await page.getByRole("dialog").count()).toBe(0)
      })
    }).pipe(Effect.provide(application)))
})

async function expectTitle(page: import("playwright-core").Page, title: string): Promise<void> {
  await page.waitForFunction((wanted) => document.title === wanted, title)
}
