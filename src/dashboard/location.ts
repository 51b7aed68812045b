/**
 * Where the app is: the address bar is the state. A route is a pure function of the address; everything that changes what is on
 * screen is in it, so it can be shared, bookmarked and gone back from.
 */
import { computed, signal } from "@preact/signals"
import { config, home, pathOf, place } from "./config.js"
import { type Route, routeOf } from "./route.js"

const address = signal(new URL(location.href))

/** What the address shows. */
export const route = computed((): Route => config.page === "login" ? { page: "login" } : routeOf(pathOf(address.value)))

/** One parameter of the address. */
export const param = (name: string): string | null => address.value.searchParams.get(name)

export type Changes = Readonly<Record<string, string | null>>

const changed = (url: URL, changes: Changes): URL => {
  const next = new URL(url)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") next.searchParams.delete(name)
    else next.searchParams.set(name, value)
  }
  return next
}

const go = (url: URL, replace: boolean): void => {
  if (url.href === address.value.href) return
  if (replace) history.replaceState(null, "", url)
  else history.pushState(null, "", url)
  address.value = url
}

/** Changes parameters and keeps the rest. Typing replaces, choosing pushes. */
export const setParams = (changes: Changes, { replace = false } = {}): void =>
  go(changed(address.value, changes), replace)

/** The address with some parameters changed. */
export const withParams = (changes: Changes): string => changed(address.value, changes).href

/** An address of the app: a path below the dashboard, with parameters. */
export const href = (path: string, params: Changes = {}): string => changed(place(path), params).href

export const navigate = (to: string, { replace = false } = {}): void => go(new URL(to, address.value), replace)

// What a click means to a browser beyond "go there": a new tab, a new window, a download.
const isPlain = (event: MouseEvent): boolean =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey && !event.defaultPrevented

const anchorOf = (event: Event): HTMLAnchorElement | null =>
  event.target instanceof Element ? event.target.closest("a[href]") : null

// The page says it relative to its own address, which changes from here on.
const fixIcon = (): void => {
  const icon = document.querySelector<HTMLLinkElement>("link[rel=icon]")
  icon?.setAttribute("href", icon.href)
}

/** Links inside the app change the address without loading the page again; the browser's own buttons work. */
export const startLocation = (): void => {
  fixIcon()
  addEventListener("popstate", () => {
    address.value = new URL(location.href)
  })
  document.addEventListener("click", (event) => {
    const anchor = anchorOf(event)
    if (anchor === null || !isPlain(event) || anchor.target !== "" || anchor.hasAttribute("download")) return
    const url = new URL(anchor.href)
    if (url.origin !== home.origin || !url.pathname.startsWith(home.pathname)) return
    event.preventDefault()
    go(url, false)
  })
}
