/** The line to the server when it is not as it should be: full, cut, too slow for what happens, of another version. */
import { createServer, request } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { Effect } from "effect"
import { TaskManager } from "effect-taskflow"
import type { Page } from "playwright-core"
import { expect } from "vitest"
import { describeInBrowser, eventually, steps, test, visitor } from "./browser.js"
import { application, live, Mail, openAs, row, serve, type Served, Waiting } from "./support.js"

const wait = (n: number) => Effect.map(Waiting.enqueue({ n }), ({ taskId }) => taskId)

/** The same server behind a line that a test can cut and hold. */
const behindALine = (served: Served) =>
  Effect.gen(function*() {
    const sockets = new Set<Socket>()
    let isCut = false
    const proxy = createServer((incoming, outgoing) => {
      if (isCut) return void incoming.socket.destroy()
      const { headers, method, url } = incoming
      const inner = request({ host: "127.0.0.1", port: served.port, method, headers, path: url }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      inner.on("error", () => outgoing.destroy())
      outgoing.on("close", () => inner.destroy())
      incoming.pipe(inner)
    })
    proxy.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
    })
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))),
      () => Effect.sync(() => (proxy.close(), proxy.closeAllConnections()))
    )
    const { port } = proxy.address() as AddressInfo // safe: it listens on a port
    const line: Served = { ...served, port, url: served.url.replace(`:${served.port}`, `:${port}`) }
    const cut = Effect.sync(() => {
      isCut = true
      for (const socket of sockets) socket.destroy()
    })
    return { line, cut, mend: Effect.sync(() => (isCut = false)) }
  })

/** Previews of single rows are no reading of the list. */
const isPreview = (url: string): boolean => /^id:/.test(new URL(url).searchParams.get("q") ?? "")

/** What the page asks the server for from now on, by path. */
const asked = (page: Page) => {
  const requests: Array<{ readonly path: string; readonly lastId: string | undefined }> = []
  page.on("request", (one) => {
    if (isPreview(one.url())) return
    requests.push({ path: new URL(one.url()).pathname.replace(/\/$/, ""), lastId: one.headers()["last-event-id"] })
  })
  return { requests, of: (path: string) => requests.filter((one) => one.path === path) }
}

describeInBrowser("a line", () => {
  test(
    "that has no room for another stream is asked again and again instead, and two who watch see the same",
    () =>
      Effect.gen(function*() {
        const served = yield* serve({ maxStreams: 1 })
        const first = yield* visitor()
        const second = yield* visitor({ expects: [503] })
        yield* steps(async () => {
          await openAs(first.page, served, "ada")
          await live(first.page)
          await openAs(second.page, served, "bob")
          await second.page.getByText("Every 5 s").waitFor()
        })
        const id = yield* wait(1)
        yield* steps(async () => {
          await row(first.page, id).waitFor()
          await row(second.page, id).waitFor()
        })
        yield* Effect.flatMap(TaskManager, (manager) => manager.cancel(id))
        yield* steps(async () => {
          await row(first.page, id).getByText("Cancelled").waitFor()
          await row(second.page, id).getByText("Cancelled").waitFor()
          expect(await second.page.getByText("Not live.").count()).toBe(0)
          // When there is room again it is taken.
          await first.context.close()
          await live(second.page)
        })
      }).pipe(Effect.provide(application)),
    60_000
  )

  test("that was cut is taken up where it was: nothing is missed, shown twice or read again", () =>
    Effect.gen(function*() {
      const { cut, line, mend } = yield* behindALine(yield* serve())
      const { page } = yield* visitor({ expects: [0] })
      const before = yield* wait(0)
      yield* steps(async () => {
        const { of } = asked(page)
        await openAs(page, line, "ada")
        await live(page)
        await row(page, before).waitFor()
        // Once more, because nobody told what happened before the stream began.
        await eventually(() => expect(of("/tasks")).toHaveLength(2))
        await page.waitForFunction(() => document.querySelector(".runs-table")?.getAttribute("aria-busy") === "false")
      })
      const { of } = asked(page)
      yield* cut
      yield* steps(() => page.locator(".live.bad").waitFor())
      const missed = yield* Effect.forEach([1, 2, 3], wait)
      yield* Effect.flatMap(TaskManager, (manager) => manager.cancel(before))
      yield* mend
      yield* steps(async () => {
        await live(page)
        await row(page, before).getByText("Cancelled").waitFor()
        for (const id of missed) await row(page, id).waitFor()
        expect(await page.locator("[data-run]").count()).toBe(4)
        expect(of("/tasks/stream").at(-1)?.lastId).toMatch(/^[\w-]+-\d+$/)
        expect(of("/tasks")).toEqual([])
      })
    }).pipe(Effect.provide(application)))

  test("that cannot take all that happens says so, and when it is over everything is right", () =>
    Effect.gen(function*() {
      const served = yield* serve()
      const { page } = yield* visitor()
      const first = yield* wait(0)
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await row(page, first).waitFor()
        // Whoever points at a row keeps it, however many come above it.
        await row(page, first).hover()
        // It lasts for as long as the latest frame leaves something out: whoever looks now and then may miss it.
        await page.evaluate(() =>
          new MutationObserver(() => {
            if (document.querySelector(".live")?.textContent === "Sampling") document.body.dataset["sampled"] = ""
          }).observe(document.body, { subtree: true, childList: true, characterData: true })
        )
      })
      const again = page.waitForResponse((answer) =>
        /^\/tasks\/?$/.test(new URL(answer.url()).pathname) && !isPreview(answer.url())
      )
      yield* Waiting.enqueueMany(Array.from({ length: 299 }, (_, n) => ({ n })))
      yield* steps(async () => {
        await page.locator("[data-sampled]").waitFor()
        await page.getByRole("button", { name: "All 300" }).waitFor()
      })
      const last = yield* wait(300)
      yield* steps(async () => {
        await page.getByText("Sampling").waitFor({ state: "detached" })
        // Everything is read again then, and its first page is full of others.
        await again
        await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)))
        await row(page, first).waitFor()
        expect(await page.locator("[data-run]").count()).toBe(1)
        await page.mouse.move(5, 5)
        await page.getByRole("button", { name: "All 301" }).waitFor()
        await row(page, last).waitFor()
        // Nothing is left out between what came and what was there: it is the last of all, whose head counts as one.
        await page.waitForFunction((id) => {
          const rows = document.querySelector(".scroll")
          rows?.scrollTo(0, rows.scrollHeight)
          return document.querySelector(`[data-run="${id}"]`)?.getAttribute("aria-rowindex") === "302"
        }, first)
      })
    }).pipe(Effect.provide(application)))

  test(
    "to a server of another version asks to load the page again, and a part that is gone does so by itself, once",
    () =>
      Effect.gen(function*() {
        const served = yield* serve()
        const { page } = yield* visitor({ expects: [404] })
        yield* Mail.enqueue({ to: "a@example.com" })
        let isOld = true
        yield* steps(async () => {
          await page.route("**/dashboard/runs", async (route) => {
            if (!isOld) return route.continue()
            const answer = await route.fetch()
            await route.fulfill({
              response: answer,
              body: (await answer.text()).replace(/"build":"[^"]+"/, "\"build\":\"old\"")
            })
          })
          await openAs(page, served, "ada")
          await page.getByText("A new version of this dashboard is on the server.").waitFor()
          isOld = false
          await page.getByRole("button", { name: "Reload" }).click()
          await live(page)
          expect(await page.getByText("A new version").count()).toBe(0)

          await page.route(/assets\/AuditPage-.*\.js$/, (route) => route.fulfill({ status: 404, body: "" }))
          let loads = 0
          page.on("load", () => (loads += 1))
          await page.getByRole("link", { name: "Audit" }).click()
          await page.getByRole("button", { name: "Reload" }).waitFor()
          expect(loads).toBe(1)
          await page.unroute(/assets\/AuditPage-.*\.js$/)
          await page.getByRole("button", { name: "Reload" }).click()
          await page.getByRole("heading", { name: "Audit" }).waitFor()
        })
      }).pipe(Effect.provide(application))
  )
})
