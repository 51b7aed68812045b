/**
 * Where the app is, and what the server said with the page. Every address is made here from the place of the app's own files, so
 * nothing has to know the prefix it is mounted at.
 */
import type { PageConfig } from "../http/dashboard/config.js"

const isConfig = (value: unknown): value is PageConfig => typeof value === "object" && value !== null && "page" in value

const read = (): PageConfig => {
  const value: unknown = JSON.parse(document.getElementById("config")?.textContent ?? "null")
  if (isConfig(value)) return value
  throw new Error("the page has no configuration")
}

export const config: PageConfig = read()

// The bundler would take `new URL(…, import.meta.url)` for a file of its own.
const self: string = import.meta.url

/** `{mount}/dashboard/`: this file is in `assets/` below it. */
export const home = new URL("../", self)

/** `{mount}/`. */
export const mount = new URL("../", home)

/** What of an address is below the dashboard, without its parameters. */
export const pathOf = ({ pathname }: URL): string =>
  pathname.startsWith(home.pathname) ? pathname.slice(home.pathname.length) : ""

/** An endpoint of the API, by its path below the mount. */
export const endpoint = (path: string): URL => new URL(path, mount)

/** A place of the app, by its path below the dashboard. */
export const place = (path: string): URL => new URL(path, home)
