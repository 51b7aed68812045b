/** Short messages about what was done: said to screen readers, gone after a while, never the only place that says it. */
import { signal } from "@preact/signals"
import type { ComponentChildren } from "preact"
import { t } from "../text/en.js"
import { IconButton } from "./controls.js"

interface Toast {
  readonly id: number
  readonly tone: "good" | "bad"
  readonly content: ComponentChildren
}

const toasts = signal<ReadonlyArray<Toast>>([])
const shownFor = 8_000
const atMost = 3
let made = 0

const remove = (id: number): void => {
  toasts.value = toasts.value.filter((one) => one.id !== id)
}

export const toast = (tone: Toast["tone"], content: ComponentChildren): void => {
  const id = made += 1
  toasts.value = [...toasts.value, { id, tone, content }].slice(-atMost)
  setTimeout(() => remove(id), shownFor)
}

/** Whether a panel lies over the page: what is behind it is inert, so messages are said in it. */
export const inPanel = signal(false)

const Messages = () => (
  <div class="toast-list" role="status">
    {toasts.value.map(({ content, id, tone }) => (
      <div key={id} class={`toast ${tone}`}>
        <span>{content}</span>
        <IconButton icon="close" label={t.close} small kind="quiet" onClick={() => remove(id)} />
      </div>
    ))}
  </div>
)

/** `children` stay above them, and say for themselves what is read out. */
export const Toasts = (
  { children, panel = false }: { readonly children?: ComponentChildren; readonly panel?: boolean }
) => {
  const isHere = inPanel.value === panel
  if (!isHere && children === undefined) return null
  return (
    <div class="toasts">
      {children}
      {isHere ? <Messages /> : null}
    </div>
  )
}
