/**
 * The pages as pictures. `pictures.test.ts` compares some of them with those in `pictures/`; `npm run pictures` writes all of
 * them, in both themes and as on a phone, for somebody to look at.
 */
import * as fs from "node:fs"
import * as path from "node:path"
import pixelmatch from "pixelmatch"
import type { Page } from "playwright-core"
import { PNG } from "pngjs"
import type { Demo } from "./demo.js"

export interface Picture {
  readonly name: string
  readonly open: (page: Page, demo: Demo) => Promise<void>
  /** Taken without a session: the last ones, for the session is gone then. */
  readonly isLoggedOut?: boolean
  /** Looks in which it is not there. */
  readonly except?: ReadonlyArray<Look["name"]>
  /** Compared with a picture in `pictures/`, in these looks. */
  readonly compared?: ReadonlyArray<Look["name"]>
}

export interface Look {
  readonly name: "light" | "dark" | "phone"
  readonly width: number
  readonly height: number
  readonly scheme: "light" | "dark"
}

export const looks: ReadonlyArray<Look> = [
  { name: "light", width: 1280, height: 800, scheme: "light" },
  { name: "dark", width: 1280, height: 800, scheme: "dark" },
  { name: "phone", width: 390, height: 800, scheme: "light" }
]

const go = (page: Page, { served }: Demo, place: string) => page.goto(`${served.url}dashboard/${place}`)
const live = (page: Page) => page.locator(".live.on").waitFor()

/** Every page and its main states. A new page is a new line here. */
export const pictures: ReadonlyArray<Picture> = [
  {
    name: "overview",
    compared: ["light", "dark"],
    open: async (page, demo) => {
      await go(page, demo, "")
      await live(page)
      await page.locator(".plot canvas").nth(1).waitFor({ timeout: 30_000 })
      await page.locator(".ov-attention li").first().waitFor()
      await page.locator(".ov-instances li").first().waitFor()
    }
  },
  {
    name: "runs",
    compared: ["light", "dark", "phone"],
    open: async (page, demo) => {
      await go(page, demo, "runs?since=1h")
      await live(page)
      await page.locator("[data-run]").nth(8).waitFor()
    }
  },
  {
    name: "panel",
    compared: ["light", "dark"],
    open: async (page, demo) => {
      await go(page, demo, `runs?since=1h&run=${demo.failed}`)
      await page.getByRole("tabpanel").locator("h3").first().waitFor()
      await live(page)
    }
  },
  {
    name: "panel-logs",
    open: async (page, demo) => {
      await go(page, demo, `runs?run=${demo.failed}&tab=logs`)
      await page.locator(".logs li").first().waitFor()
      await live(page)
    }
  },
  {
    name: "run",
    compared: ["light", "phone"],
    open: async (page, demo) => {
      await go(page, demo, `runs/${demo.running}`)
      await page.getByRole("tabpanel").locator("h3").first().waitFor()
      await live(page)
    }
  },
  {
    name: "filtered-empty",
    open: async (page, demo) => {
      await go(page, demo, "runs?status=interrupted")
      await page.getByText("No runs match").waitFor()
      await live(page)
    }
  },
  {
    name: "selection",
    // On a phone nothing is selected.
    except: ["phone"],
    open: async (page, demo) => {
      await go(page, demo, "runs?status=failed")
      await page.locator("[data-run]").first().getByRole("checkbox").click()
      await page.getByRole("button", { name: /^Retry 1/ }).waitFor()
      await live(page)
    }
  },
  {
    name: "dead-letters",
    compared: ["light", "dark"],
    open: async (page, demo) => {
      await go(page, demo, "dead-letters")
      await page.locator("[data-group]").first().waitFor()
      await live(page)
    }
  },
  {
    name: "tasks",
    compared: ["light"],
    open: async (page, demo) => {
      await go(page, demo, "tasks")
      await page.locator("[data-task]").first().waitFor()
      await live(page)
    }
  },
  {
    name: "task",
    compared: ["light"],
    open: async (page, demo) => {
      await go(page, demo, "tasks/charge_payment?window=1h")
      await page.getByRole("img", { name: /half took/ }).waitFor()
      await page.locator(".entries li").nth(3).waitFor()
      await live(page)
    }
  },
  {
    name: "enqueue",
    open: async (page, demo) => {
      await go(page, demo, "tasks/charge_payment?window=1h")
      await page.getByRole("button", { name: "Enqueue…" }).click()
      await page.getByLabel("order", { exact: true }).waitFor()
    }
  },
  {
    name: "schedules",
    compared: ["light"],
    open: async (page, demo) => {
      await go(page, demo, "schedules?open=nightly_digest")
      await page.getByText("Next times").waitFor()
      await live(page)
    }
  },
  {
    name: "instances",
    compared: ["light"],
    open: async (page, demo) => {
      await go(page, demo, "instances")
      await page.getByText("answers you").waitFor()
      await live(page)
    }
  },
  {
    name: "audit",
    open: async (page, demo) => {
      await go(page, demo, "audit")
      await page.locator("tbody tr").first().waitFor()
      await live(page)
    }
  },
  {
    name: "palette",
    compared: ["light"],
    open: async (page, demo) => {
      await go(page, demo, "instances")
      await page.getByText("answers you").waitFor()
      await live(page)
      await page.keyboard.press("Control+k")
      await page.getByRole("dialog").waitFor()
      await page.keyboard.type("pay")
      await page.getByRole("option", { name: /^charge_payment/ }).first().waitFor()
    }
  },
  {
    name: "retry-group",
    open: async (page, demo) => {
      await go(page, demo, "dead-letters")
      await page.locator("[data-group]").first().getByRole("button", { name: /^Retry/ }).click()
      await page.getByText("can run now").waitFor()
    }
  },
  {
    name: "tray",
    compared: ["light"],
    // Taken back, so that what is looked at afterwards is as it was.
    open: async (page, demo) => {
      await go(page, demo, "dead-letters")
      await live(page)
      await page.locator("[data-group]").first().getByRole("button", { name: /^Retry/ }).click()
      const dialog = page.getByRole("dialog")
      await dialog.getByText("can run now").waitFor()
      await dialog.getByRole("button", { name: /^Retry \d/ }).click()
      await page.getByRole("button", { name: "Undo" }).click()
      await page.getByText("Undone").first().waitFor()
      await dialog.waitFor({ state: "detached" })
    }
  },
  {
    name: "login",
    isLoggedOut: true,
    compared: ["light"],
    open: async (page, { served }) => {
      await page.goto(`${served.url}auth/login`)
      await page.getByLabel("Username").waitFor()
    }
  }
]

/** A picture of a page as it is: nothing blinks, spins or is half there. */
export const take = async (page: Page): Promise<Buffer> => {
  await page.evaluate(() => document.fonts.ready)
  return page.screenshot({ animations: "disabled", caret: "hide", scale: "css" })
}

export const baselines = path.join(import.meta.dirname, "pictures")

/** The share of pixels that may differ: letters are drawn a little differently by another build of a browser or its fonts. */
const tolerated = 0.01

/** Where the letters of one build of a browser differ from those of another, the edges do; a row that moved differs all over. */
const threshold = 0.25

// Flat colours are packed best as they are, by the usual strategy: the library's own choice makes them a third larger.
const smaller = (png: PNG): Buffer =>
  PNG.sync.write(png, { colorType: 2, deflateLevel: 9, deflateStrategy: 0, filterType: 0 })

export const write = (file: string, picture: Buffer): void => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, smaller(PNG.sync.read(picture)))
}

/** What is different from the picture that is kept, in words and as files in `folder`; null for nothing. */
export const difference = (name: string, picture: Buffer, folder: string): string | null => {
  const kept = path.join(baselines, `${name}.png`)
  const at = (what: string) => path.join(folder, `${name}${what}.png`)
  const update = "when that is meant: npm run pictures -- --update"
  if (!fs.existsSync(kept)) {
    write(at(""), picture)
    return `${name}: there is no ${kept} to compare with. The page is in ${at("")}; ${update}`
  }
  const is = PNG.sync.read(picture)
  const was = PNG.sync.read(fs.readFileSync(kept))
  if (is.width !== was.width || is.height !== was.height) {
    write(at(""), picture)
    return `${name}: ${is.width}×${is.height} instead of ${was.width}×${was.height}. The page is in ${
      at("")
    }; ${update}`
  }
  const diff = new PNG({ width: is.width, height: is.height })
  const many = pixelmatch(was.data, is.data, diff.data, is.width, is.height, { threshold })
  const share = many / (is.width * is.height)
  if (share <= tolerated) return null
  write(at(""), picture)
  write(at("-difference"), PNG.sync.write(diff))
  return `${name}: ${(share * 100).toFixed(1)} % of it differ from ${kept}. The page is in ${
    at("")
  }, what differs in ` +
    `${at("-difference")}; ${update}`
}
