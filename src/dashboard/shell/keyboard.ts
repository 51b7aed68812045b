/**
 * The keyboard map. Pages add what their keys do while they are there; a single key does nothing in a field, in a dialog, or
 * when the person turned such keys off.
 */
import { useLayoutEffect } from "preact/hooks"
import { paletteOpen } from "../palette/state.js"
import { shortcuts } from "../settings.js"

/** By key, as `j`, `Shift+X`, `Mod+a`, `g r`. */
export type Bindings = Readonly<Record<string, (event: KeyboardEvent) => void>>

const layers: Array<Bindings> = []
let before: { readonly key: string; readonly at: number } | null = null
const sequenceWithin = 1_000

/** Whether a key means text, or a choice, where the focus is. */
const isTaken = (target: EventTarget | null, name: string): boolean =>
  target instanceof Element &&
  // A panel that is a dialog only for want of room keeps its keys.
  (target.closest("dialog:not([data-keys]), .menu, [role=listbox]") !== null ||
    target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]") ||
    name === "Enter" && target.matches("a, button, summary, input"))

export const nameOf = ({ altKey, ctrlKey, key, metaKey, shiftKey }: KeyboardEvent): string | null => {
  if (altKey) return null
  const mod = ctrlKey || metaKey ? "Mod+" : ""
  return key.length === 1 && shiftKey && /\p{L}/u.test(key) ? `${mod}Shift+${key.toUpperCase()}` : `${mod}${key}`
}

const find = (name: string): ((event: KeyboardEvent) => void) | undefined => {
  for (let index = layers.length - 1; index >= 0; index -= 1) {
    const act = layers[index]?.[name]
    if (act !== undefined) return act
  }
  return undefined
}

// Escape, Enter and the arrows are no characters: nothing that is spoken can be taken for them.
const isSingle = (name: string): boolean => name.length === 1 || /^Shift\+.$/.test(name)

/** Keys with a modifier that means no text are taken in fields too; not in dialogs, which come first. */
const everywhere = new Set(["Mod+k"])
const isInDialog = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("dialog:not([data-keys])") !== null

const onKeyDown = (event: KeyboardEvent): void => {
  const name = nameOf(event)
  if (name === null || event.defaultPrevented) return
  // What is typed while the palette still comes is meant for it.
  if (paletteOpen.peek() && !isInDialog(event.target)) {
    if (name === "Escape") paletteOpen.value = false
    return
  }
  if (everywhere.has(name) ? isInDialog(event.target) : isTaken(event.target, name)) return
  if (isSingle(name) && !shortcuts.value) return
  const sequence = before !== null && event.timeStamp - before.at < sequenceWithin
    ? find(`${before.key} ${name}`)
    : undefined
  before = sequence === undefined && name.length === 1 ? { key: name, at: event.timeStamp } : null
  const act = sequence ?? find(name)
  if (act === undefined) return
  event.preventDefault()
  act(event)
}

export const startKeyboard = (): void => addEventListener("keydown", onKeyDown)

/** These keys act while the component is there; the latest layer that has a key answers it. */
export const useKeys = (bindings: Bindings): void => {
  useLayoutEffect(() => {
    layers.push(bindings)
    return () => {
      layers.splice(layers.indexOf(bindings), 1)
    }
  })
}
