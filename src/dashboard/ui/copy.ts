/** Copies text, also on plain HTTP, where browsers have no clipboard for scripts. */
import { t } from "../text/en.js"
import { toast } from "./toasts.js"

const byHand = (text: string): boolean => {
  const area = document.createElement("textarea")
  area.value = text
  area.className = "sr"
  document.body.append(area)
  const before = document.activeElement
  area.select()
  // The only way without a secure context; every browser still has it.
  const done = document.execCommand("copy")
  area.remove()
  if (before instanceof HTMLElement) before.focus()
  return done
}

export const copy = async (text: string): Promise<void> => {
  try {
    await navigator.clipboard.writeText(text)
    toast("good", t.copied)
  } catch {
    if (byHand(text)) toast("good", t.copied)
    else toast("bad", t.notCopied)
  }
}
