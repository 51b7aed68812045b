/**
 * Takes pictures of every page: light, dark, and as on a phone.
 *
 *     npm run pictures -- /tmp/pictures    all of them, to look at
 *     npm run pictures -- --update         those that tests compare with, and those of the guide
 */
import * as path from "node:path"
import { argv } from "node:process"
import { Effect } from "effect"
import { chromium } from "playwright-core"
import { executable, flags } from "./chromium.js"
import { application, demo, enter } from "./demo.js"
import { baselines, looks, pictures, take, write } from "./pictures.js"

const update = argv.includes("--update")
const folder = argv.slice(2).find((one) => !one.startsWith("-"))
if (!update && folder === undefined) {
  console.error("Where to? npm run pictures -- /tmp/pictures, or npm run pictures -- --update")
  process.exit(1)
}

const guide = path.resolve(import.meta.dirname, "../../docs/guide")
const ofGuide: Readonly<Record<string, string>> = {
  "overview-light": "dashboard-overview.png",
  "panel-light": "dashboard-light.png",
  "panel-dark": "dashboard-dark.png"
}

await Effect.runPromise(Effect.scoped(
  Effect.gen(function*() {
    const shown = yield* demo
    yield* Effect.promise(async () => {
      const browser = await chromium.launch({ executablePath: executable, args: flags })
      try {
        for (const { height, name: look, scheme, width } of looks) {
          const context = await browser.newContext({
            viewport: { width, height },
            colorScheme: scheme,
            locale: "en-GB",
            timezoneId: "Europe/Berlin",
            reducedMotion: "reduce"
          })
          const page = await context.newPage()
          await enter(page, shown)
          for (const { compared, except, isLoggedOut = false, name, open } of pictures) {
            if (except?.includes(look) === true) continue
            if (isLoggedOut) await context.clearCookies()
            await open(page, shown)
            const picture = await take(page)
            const file = `${name}-${look}`
            if (folder !== undefined) write(path.join(folder, `${file}.png`), picture)
            if (update && compared?.includes(look) === true) write(path.join(baselines, `${file}.png`), picture)
            const inGuide = ofGuide[file]
            if (update && inGuide !== undefined) write(path.join(guide, inGuide), picture)
          }
          await context.close()
        }
      } finally {
        await browser.close()
      }
    })
  }).pipe(Effect.provide(application))
))
