/** Brings the keyboard to the field that something is wrong with. */
import { placeFor, type Wrong } from "./place.js"

const focus = (element: HTMLElement): void => {
  element.focus()
  element.scrollIntoView({ block: "nearest" })
}

/** The attribute that names the place of a control: of the payload, or of an option. */
type Named = "place" | "option"

const controls = (within: HTMLElement, named: Named): ReadonlyArray<HTMLElement> =>
  Array.from(within.querySelectorAll<HTMLElement>(`[data-${named}]`))

/** What is wrong, each at the field that can show it. */
export const placed = (wrong: ReadonlyArray<Wrong>, places: ReadonlyArray<string>): ReadonlyArray<Wrong> =>
  wrong.map(({ message, path }) => ({ path: placeFor(path, places), message }))

export const focusFirst = (within: HTMLElement | null, named: Named, wrong: ReadonlyArray<Wrong>): void => {
  if (within === null) return
  const all = controls(within, named)
  const found = all.find((one) => wrong.some(({ path }) => one.dataset[named] === path))
  const first = found ?? (named === "place" ? all[0] : undefined)
  if (first !== undefined) focus(first)
}
