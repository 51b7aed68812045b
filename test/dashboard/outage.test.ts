/** A server that goes away while somebody looks, and one that is somewhere else than it thinks. */
import { createServer, request } from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, Redacted } from "effect"
import { TaskflowTest } from "effect-taskflow/testing"
import { expect } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, live, Mail, openAs, password, row, serve } from "./support.js"

describeInBrowser("a server", () => {
  test("that is gone is said so, rows stay, and when it is back what happened meanwhile is there", () =>
    Effect.gen(function*() {
      // With one secret a session outlives the server.
      const secretKey = Redacted.make("k".repeat(32))
      const served = yield* serve({ secretKey })
      const { page } = yield* visitor({ expects: [0] })
      const first = yield* Mail.enqueue({ to: "a@example.com" })
      yield* TaskflowTest.awaitStatus(first.taskId, "success")
      yield* steps(async () => {
        await openAs(page, served, "ada")
        await live(page)
        await row(page, first.taskId).waitFor()
      })
      yield* served.stop
      yield* steps(async () => {
        await page.getByText(/Not live\. Showing data from \d\d:\d\d:\d\d\./).waitFor()
        expect(await row(page, first.taskId).count()).toBe(1)
        await page.getByRole("button", { name: /Failed/ }).click()
        await page.getByText("The server cannot be reached.").waitFor()
        await page.getByRole("button", { name: "All" }).click()
      })
      const second = yield* Mail.enqueue({ to: "b@example.com" })
      yield* serve({ secretKey }, served.port)
      yield* steps(async () => {
        // It may be back by itself before anybody asks.
        await page.getByRole("button", { name: "Retry now" }).click({ timeout: 1_000 }).catch(() => {})
        await live(page)
        await row(page, second.taskId).waitFor()
        await row(page, first.taskId).waitFor()
        expect(await page.getByText("Not live.").count()).toBe(0)
      })
    }).pipe(Effect.provide(application)))

  test("behind a proxy that cuts a prefix off is used at the address that the browser knows", () =>
    Effect.gen(function*() {
      const served = yield* serve({ prefix: "/b/c", publicPrefix: "/a/b/c" })
      const proxy = createServer((incoming, outgoing) => {
        const { headers, method, url = "/" } = incoming
        const inner = request(
          { host: "127.0.0.1", port: served.port, method, headers, path: url.replace(/^\/a(?=\/)/, "") },
          (answer) => {
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
            answer.pipe(outgoing)
          }
        )
        inner.on("error", () => outgoing.destroy())
        outgoing.on("close", () => inner.destroy())
        incoming.pipe(inner)
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve))),
        () => Effect.sync(() => (proxy.close(), proxy.closeAllConnections()))
      )
      const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/a/b/c/`
      const { page } = yield* visitor()
      const { taskId } = yield* Mail.enqueue({ to: "a@example.com" })
      yield* TaskflowTest.awaitStatus(taskId, "success")
      yield* steps(async () => {
        await page.goto(`${base}dashboard/runs/${taskId}`)
        await page.getByLabel("Username").fill("ada")
        await page.getByLabel("Password").fill(password)
        await page.getByRole("button", { name: "Log in" }).click()
        await page.waitForURL(`${base}dashboard/runs/${taskId}`)
        await page.getByRole("heading", { name: "send_email" }).waitFor()
        await page.getByRole("link", { name: "All runs" }).click()
        await live(page)
        await row(page, taskId).waitFor()
        expect(page.url()).toBe(`${base}dashboard/runs`)
      })
    }).pipe(Effect.provide(application)))
})
