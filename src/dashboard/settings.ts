/** What the browser keeps between visits: how the app looks and behaves, never what it shows. */
import { effect, type Signal, signal } from "@preact/signals"
import { mount } from "./config.js"

// One origin may serve several mounts.
const keyOf = (name: string): string => `taskflow:${mount.pathname}:${name}`

/** Null too where a browser keeps nothing: that is no reason to show nothing. */
export const kept = (name: string): string | null => {
  try {
    return localStorage.getItem(keyOf(name))
  } catch {
    return null
  }
}

/** Whether it is kept now. */
export const keep = (name: string, value: string): boolean => {
  try {
    localStorage.setItem(keyOf(name), value)
    return true
  } catch {
    return false
  }
}

/** Calls back when another tab keeps another value. */
export const onKeptElsewhere = (listener: (name: string) => void): void =>
  addEventListener("storage", ({ key }) => {
    const prefix = keyOf("")
    if (key?.startsWith(prefix) === true) listener(key.slice(prefix.length))
  })

/** A setting with a value that text can be read into. */
const setting = <A extends string | number | boolean>(
  name: string,
  otherwise: A,
  read: (text: string) => A | null
): Signal<A> => {
  const text = kept(name)
  const value = signal<A>(text === null ? otherwise : read(text) ?? otherwise)
  effect(() => void keep(name, String(value.value)))
  return value
}

const oneOf = <A extends string>(all: ReadonlyArray<A>) => (text: string): A | null =>
  all.find((one) => one === text) ?? null

const flag = (text: string): boolean => text === "true"

export const themes = ["system", "light", "dark"] as const
export const densities = ["comfortable", "compact"] as const

export const theme = setting("theme", "system", oneOf(themes))
export const density = setting("density", "comfortable", oneOf(densities))
export const shortcuts = setting("shortcuts", true, flag)
export const utc = setting("utc", false, flag)

export const minPanel = 380
export const maxPanel = 900
export const boundPanel = (width: number): number => Math.round(Math.min(maxPanel, Math.max(minPanel, width)))
export const panelWidth = setting("panel", 520, (text) => {
  const width = Number(text)
  return Number.isFinite(width) ? boundPanel(width) : null
})

/** Shows the theme on the document; without one the system decides. */
export const startTheme = (): void => {
  effect(() => {
    const { dataset } = document.documentElement
    if (theme.value === "system") delete dataset["theme"]
    else dataset["theme"] = theme.value
  })
  effect(() => {
    document.documentElement.dataset["density"] = density.value
  })
}
