/** A button that opens a small list: closed by Escape, by a click elsewhere and by a choice; arrows move in it. */
import type { ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"

interface MenuProps {
  readonly button: (open: boolean, toggle: () => void) => ComponentChildren
  readonly children: ComponentChildren
  /** `menu` for actions; `group` for settings, which stay open. */
  readonly role?: "menu" | "group"
  readonly label: string
  readonly align?: "start" | "end"
  /** Takes what room there is, on a phone. */
  readonly grows?: boolean
}

const itemsIn = (list: HTMLElement | null): ReadonlyArray<HTMLElement> =>
  Array.from(list?.querySelectorAll<HTMLElement>("[role^=menuitem], input, button, a") ?? [])

export const Menu = ({ align = "end", button, children, grows = false, label, role = "menu" }: MenuProps) => {
  const [open, setOpen] = useState(false)
  const root = useRef<HTMLDivElement>(null)
  const list = useRef<HTMLDivElement>(null)

  const close = (refocus: boolean): void => {
    setOpen(false)
    if (refocus) root.current?.querySelector("button")?.focus()
  }

  useEffect(() => {
    if (!open) return
    itemsIn(list.current)[0]?.focus()
    const outside = (event: Event): void => {
      if (event.target instanceof Node && root.current?.contains(event.target) === false) close(false)
    }
    addEventListener("pointerdown", outside, true)
    addEventListener("focusin", outside)
    return () => {
      removeEventListener("pointerdown", outside, true)
      removeEventListener("focusin", outside)
    }
  }, [open])

  const onKeyDown = (event: KeyboardEvent): void => {
    if (!open) return
    if (event.key === "Escape") {
      event.stopPropagation()
      event.preventDefault()
      return close(true)
    }
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    const items = itemsIn(list.current)
    const at = items.findIndex((item) => item === document.activeElement)
    items[(at + step + items.length) % items.length]?.focus()
  }

  return (
    <div class={grows ? "menu-root grows" : "menu-root"} ref={root} onKeyDown={onKeyDown}>
      {button(open, () => setOpen(!open))}
      {open
        ? (
          <div
            class={`menu ${align}`}
            ref={list}
            role={role}
            aria-label={label}
            onClick={() => role === "menu" ? close(true) : undefined}
          >
            {children}
          </div>
        )
        : null}
    </div>
  )
}

interface MenuItemProps {
  readonly onSelect?: (() => void) | undefined
  readonly href?: string | undefined
  readonly download?: string | undefined
  readonly checked?: boolean | undefined
  readonly disabled?: boolean | undefined
  readonly title?: string | undefined
  readonly children: ComponentChildren
}

export const MenuItem = ({ checked, children, disabled, download, href, onSelect, title }: MenuItemProps) =>
  href === undefined
    ? (
      <button
        type="button"
        role={checked === undefined ? "menuitem" : "menuitemradio"}
        aria-checked={checked}
        aria-disabled={disabled === true ? true : undefined}
        title={title}
        onClick={(event) => disabled === true ? event.stopPropagation() : onSelect?.()}
      >
        {children}
      </button>
    )
    : <a role="menuitem" href={href} download={download}>{children}</a>
