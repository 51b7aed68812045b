/**
 * A real browser for the tests of the dashboard: Debian's Chromium, driven by playwright-core.
 *
 * One for a whole run: see `chromium.ts`. Where there is none the tests are skipped with one loud line; with CI=true they
 * fail.
 */
import * as fs from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core"
import { inject, vi } from "vitest"
import * as Axe from "./axe.js"
import { executable } from "./chromium.js"

const isThere = fs.existsSync(executable)

if (!isThere) {
  console.error(
    `NO BROWSER: ${executable} is not there, so the dashboard is not tested in one. apt-get install chromium, or CHROMIUM=/path`
  )
}

/** A group of tests that need a browser. */
export const describeInBrowser = (name: string, tests: () => void): void => {
  describe.skipIf(!isThere && process.env["CI"] !== "true")(name, tests)
}

/** How long a page may take for one step, in milliseconds: longer than any machine needs that is only busy. */
const patience = 30_000

let browser: Promise<Browser> | undefined

// The one of the run, through a connection of this file's own.
const connected = async (): Promise<Browser> => {
  const answer = await fetch(inject("chromium"))
  const text = await answer.text()
  if (!answer.ok) throw new Error(`no browser: ${text}`)
  return chromium.connect(text)
}
const launched = (): Promise<Browser> => browser ??= connected()

export interface Visit {
  readonly width?: number
  readonly height?: number
  readonly scheme?: "light" | "dark"
  /** Answers of the server that the browser will complain about on its console. */
  readonly expects?: ReadonlyArray<number>
}

export interface Visitor {
  readonly page: Page
  readonly context: BrowserContext
  /** What the console and the page complained of, unexpected. */
  readonly complaints: ReadonlyArray<string>
}

/** A browser that nobody used before, with one page. When the test ends, nothing may have been complained of. */
export const visitor = (
  { expects = [], height = 900, scheme = "light", width = 1440 }: Visit = {}
): Effect.Effect<Visitor, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const context = await (await launched()).newContext({
        viewport: { width, height },
        colorScheme: scheme,
        locale: "en-GB",
        timezoneId: "Europe/Berlin",
        reducedMotion: "reduce"
      })
      context.setDefaultTimeout(patience)
      const page = await context.newPage()
      const complaints: Array<string> = []
      page.on("pageerror", (error) => complaints.push(String(error.stack)))
      page.on("console", (message) => {
        const text = message.text()
        const isExpected = expects.some((status) =>
          status === 0 ? /net::ERR/.test(text) : text.includes(`status of ${status}`)
        )
        if (["error", "warning"].includes(message.type()) && !isExpected) {
          complaints.push(`${text} ${message.location().url}`)
        }
      })
      return { page, context, complaints }
    }),
    ({ complaints, context }) =>
      Effect.promise(async () => {
        await context.close()
        expect(complaints).toEqual([])
      })
  )

/** Steps in a browser, as promises. */
export const steps = <A>(walk: () => Promise<A>): Effect.Effect<A> => Effect.promise(walk)

/** Asks again and again until it does not throw: as patient as a locator. */
export const eventually = <A>(look: () => A | Promise<A>): Promise<A> =>
  vi.waitFor(look, { timeout: patience, interval: 20 })

/** What axe finds against WCAG 2.2 A and AA, or against some rules alone. */
export const axe: typeof Axe.violations = Axe.violations

export const test = it.scopedLive
