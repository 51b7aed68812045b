/** Tabs by the pattern of the ARIA guide: arrows move between them, one of them is in the order of the keyboard. */
import type { ComponentChildren } from "preact"
import { useRef } from "preact/hooks"

export interface Tab<Id extends string> {
  readonly id: Id
  readonly label: string
  readonly count?: number | undefined
}

interface TabsProps<Id extends string> {
  readonly tabs: ReadonlyArray<Tab<Id>>
  readonly at: Id
  readonly label: string
  readonly onChoose: (id: Id) => void
  readonly children: ComponentChildren
}

export const Tabs = <Id extends string>({ at, children, label, onChoose, tabs }: TabsProps<Id>) => {
  const list = useRef<HTMLDivElement>(null)
  const move = (step: number): void => {
    const index = (tabs.findIndex(({ id }) => id === at) + step + tabs.length) % tabs.length
    const next = tabs[index]
    if (next === undefined) return
    onChoose(next.id)
    list.current?.querySelectorAll("button")[index]?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    move(step)
  }
  return (
    <>
      <div class="tabs" role="tablist" aria-label={label} ref={list} onKeyDown={onKeyDown}>
        {tabs.map(({ count, id, label }) => (
          <button
            key={id}
            type="button"
            role="tab"
            id={`tab-${id}`}
            aria-selected={id === at}
            aria-controls="tab-panel"
            tabIndex={id === at ? 0 : -1}
            onClick={() => onChoose(id)}
          >
            {label}
            {count === undefined || count === 0 ? null : <span class="pill">{count}</span>}
          </button>
        ))}
      </div>
      <div class="tab-body" id="tab-panel" role="tabpanel" aria-labelledby={`tab-${at}`} tabIndex={-1}>{children}</div>
    </>
  )
}
