/** How much room there is, where the layout alone cannot decide. */
import { signal } from "@preact/signals"

const matching = (query: string) => {
  const list = matchMedia(query)
  const value = signal(list.matches)
  list.addEventListener("change", () => (value.value = list.matches))
  return value
}

/** A phone: rows take three lines, the panel is a page. */
export const narrow = matching("(max-width: 759px)")

/** Not enough room for a list and a panel beside each other. */
export const cramped = matching("(max-width: 1199px)")

/** Where wide tables leave out what their details say too. */
export const tight = matching("(max-width: 1399px)")
export const tighter = matching("(max-width: 1099px)")
