/** Saved views: what is kept, what is refused, and that nothing is lost. And commands for a terminal. */
import { execFileSync } from "node:child_process"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { curlOf, quote } from "../../src/dashboard/text/curl.js"
import * as Views from "../../src/dashboard/views/views.js"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, openAs, serve } from "./support.js"

describe("views", () => {
  const one: Views.View = { name: "Slow", path: "runs?q=dur%3A%3E5s" }

  it("are the address without what is open in it", () => {
    const params = new Map([["q", "task:a b"], ["sort", "-duration"], ["run", "1"], ["tab", "logs"], ["since", ""]])
    expect(Views.pathOf((name) => params.get(name) ?? null)).toBe("runs?q=task%3Aa+b&sort=-duration")
    expect(Views.pathOf(() => null)).toBe("runs")
  })

  it("are read as they were kept; what is no list of views is told from none", () => {
    expect(Views.read(null)).toEqual([])
    expect(Views.read(JSON.stringify([one]))).toEqual([one])
    for (
      const text of ["", "{", "null", "{}", "[1]", `[{"name":"a"}]`, `[{"name":"a","path":"https://evil.example"}]`]
    ) {
      expect(Views.read(text), text).toBeNull()
    }
  })

  it("have names of their own, and are fifty at most", () => {
    expect(Views.add([one], " Fast ", "runs")).toEqual({ views: [one, { name: "Fast", path: "runs" }] })
    expect(Views.add([one], "slow", "runs")).toEqual({ refused: "taken" })
    expect(Views.add([one], "  ", "runs")).toEqual({ refused: "unnamed" })
    expect(Views.add([one], "x".repeat(61), "runs")).toEqual({ refused: "long" })
    expect(Views.add([one], "x", `runs?q=${"x".repeat(2_000)}`)).toEqual({ refused: "long" })
    const many = Array.from({ length: 50 }, (_, n) => ({ name: `${n}`, path: "runs" }))
    expect(Views.add(many, "x", "runs")).toEqual({ refused: "full" })
    expect(Views.rename(many, "1", "2")).toEqual({ refused: "taken" })
    expect(Views.rename([one], "Slow", "SLOW")).toEqual({ views: [{ ...one, name: "SLOW" }] })
    expect(Views.without([one], "Slow")).toEqual({ views: [] })
  })
})

describe("a command for a terminal", () => {
  const hostile = ["it's", "$(touch x)", "`id`", "a b\n c", "'; rm -rf / #", "\\'", "!x", "ü\"\\"]

  it.each(hostile)(
    "says %j to the shell as one word",
    (text) => expect(execFileSync("/bin/sh", ["-c", `printf %s ${quote(text)}`], { encoding: "utf8" })).toBe(text)
  )

  it("has the method, the address and the body, and no credentials", () => {
    expect(curlOf({ method: "GET", url: "http://h/tasks/1" })).toBe("curl -u USER:PASSWORD 'http://h/tasks/1'")
    expect(curlOf({ method: "DELETE", url: "http://h/tasks/schedules/it's" })).toBe(
      "curl -u USER:PASSWORD -X DELETE 'http://h/tasks/schedules/it'\\''s'"
    )
    expect(curlOf({ method: "POST", url: "http://h/x", body: { a: "it's" } })).toBe(
      "curl -u USER:PASSWORD -X POST -H 'content-type: application/json' -d '{\"a\":\"it'\\''s\"}' 'http://h/x'"
    )
  })
})

describeInBrowser("saved views", () => {
  test(
    "are saved, found again, renamed and deleted, each user's own; and say when nothing is kept",
    () =>
      Effect.gen(function*() {
        const served = yield* serve({
          dashboard: { views: [{ name: "Failed", path: "runs?status=failed&since=all" }] }
        })
        const { page } = yield* visitor()
        const menu = page.getByRole("button", { name: "Saved views" })
        const dialog = page.getByRole("dialog")
        const save = async (name: string): Promise<void> => {
          await menu.click()
          await page.getByRole("button", { name: "Save this view…" }).click()
          await dialog.getByLabel("Name").fill(name)
          await page.keyboard.press("Enter")
        }
        const place = () => new URL(page.url())
        yield* steps(async () => {
          await openAs(page, served, "ada", "runs?q=task:send_email&since=7d&sort=-duration&cols=priority")
          await save("Mails")
          await page.getByText("Mails is saved").waitFor()
          await dialog.waitFor({ state: "detached" })
          await save("mails")
          await dialog.getByText("You have a view of that name.").waitFor()
          await dialog.getByRole("button", { name: "Not now" }).click()
          await menu.click()
          await page.getByRole("link", { name: "Failed" }).click()
          expect(place().search).toBe("?status=failed&since=all")
          await page.getByRole("button", { name: "Save this view…" }).waitFor({ state: "detached" })
          await page.reload()
          await menu.click()
          await page.getByRole("link", { name: "Mails" }).click()
          expect(place().searchParams.get("cols")).toBe("priority")
          expect(place().searchParams.get("q")).toBe("task:send_email")
          await menu.click()
          await page.getByRole("button", { name: "Rename Mails…" }).click()
          await dialog.getByLabel("Name").fill("Slow mails")
          await dialog.getByRole("button", { name: "Rename" }).click()
          await menu.click()
          await page.getByRole("link", { name: "Slow mails" }).waitFor()
          await page.getByRole("button", { name: "Delete Slow mails…" }).click()
          await dialog.getByRole("button", { name: "Delete" }).click()
          await page.getByText("Slow mails is deleted").waitFor()

          await page.evaluate(() => {
            Storage.prototype.setItem = () => {
              throw new DOMException("full", "QuotaExceededError")
            }
          })
          await save("Kept nowhere")
          await dialog.getByText("This browser does not keep it").waitFor()
          await page.reload()
          await page.evaluate(() => {
            const key = Object.keys(localStorage).find((one) => one.endsWith(":views:ada"))
            localStorage.setItem(key!, "{broken")
          })
          await page.reload()
          await menu.click()
          await page.getByText("cannot be read. They stay").waitFor()
          await page.getByRole("button", { name: "Begin anew" }).click()
          await page.getByText("Save what you filter for").waitFor()
          expect(await page.evaluate(() => Object.values(localStorage).includes("{broken"))).toBe(true)
          await page.keyboard.press("Escape")
          await save("Ada's")
          await page.getByText("Ada's is saved").waitFor()
          await openAs(page, served, "bob")
          await menu.click()
          await page.getByText("Save what you filter for").waitFor()
          expect(await page.getByRole("link", { name: "Ada's" }).count()).toBe(0)
        })
      }).pipe(Effect.provide(application))
  )
})
