/** Pages look as they did: compared with pictures that somebody looked at. */
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { Effect } from "effect"
import { PNG } from "pngjs"
import { expect, it } from "vitest"
import { describeInBrowser, steps, test, visitor } from "./browser.js"
import { application, demo, enter } from "./demo.js"
import { baselines, difference, looks, pictures, take } from "./pictures.js"

const folder = path.join(os.tmpdir(), "taskflow-pictures")

describeInBrowser("a picture", () => {
  for (const look of looks) {
    test(`of each page is the one that is kept, ${look.name}`, () =>
      Effect.gen(function*() {
        const shown = yield* demo
        const { page } = yield* visitor({ ...look, expects: [401] })
        const found: Array<string> = []
        yield* steps(async () => {
          await enter(page, shown)
          for (const { compared, isLoggedOut = false, name, open } of pictures) {
            if (compared?.includes(look.name) !== true) continue
            if (isLoggedOut) await page.context().clearCookies()
            await open(page, shown)
            const differs = difference(`${name}-${look.name}`, await take(page), folder)
            if (differs !== null) found.push(differs)
          }
        })
        expect(found.join("\n")).toBe("")
      }).pipe(Effect.provide(application)), 90_000)
  }
})

it("is kept for each that is compared, and they are few and small", () => {
  const files = fs.readdirSync(baselines).filter((file) => file.endsWith(".png")).sort()
  const compared = pictures.flatMap(({ compared = [], name }) => compared.map((look) => `${name}-${look}.png`))
  expect(files).toEqual(compared.sort())
  expect(files.length).toBeLessThanOrEqual(18)
  const sizes = files.map((file) => fs.statSync(path.join(baselines, file)).size)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(1_500_000)
})

it("that moved by a row is another one, and the message says where to look", () => {
  const one = PNG.sync.read(fs.readFileSync(path.join(baselines, "runs-light.png")))
  const moved = new PNG({ width: one.width, height: one.height })
  PNG.bitblt(one, moved, 0, 0, one.width, one.height - 34, 0, 34)
  const at = fs.mkdtempSync(path.join(os.tmpdir(), "taskflow-pictures-"))
  try {
    expect(difference("runs-light", PNG.sync.write(one), at)).toBe(null)
    expect(difference("runs-light", PNG.sync.write(moved), at)).toMatch(/% of it differ .*runs-light-difference\.png/s)
    expect(fs.readdirSync(at).sort()).toEqual(["runs-light-difference.png", "runs-light.png"])
  } finally {
    fs.rmSync(at, { recursive: true })
  }
})
