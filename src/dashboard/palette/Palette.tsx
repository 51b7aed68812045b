/** One field from which everything can be reached: pages, tasks, schedules, runs, and what can be done. */
import "./palette.css"
import { useEffect, useMemo, useRef, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import * as clock from "../clock.js"
import { t } from "../text/en.js"
import { Icon } from "../ui/Icon.js"
import { type Item, type Known, named, runsOf, searchOf } from "./items.js"
import { ranked } from "./rank.js"
import { chose, recent } from "./recent.js"
import { paletteOpen } from "./state.js"

const most = 40
const freshFor = 10_000

let known: Known = { tasks: [], schedules: [] }
let knownAt = Number.NEGATIVE_INFINITY

/** The names that the server has, read when the palette opens; those of before until then. */
const useKnown = () => {
  const [now, setNow] = useState(known)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    if (clock.local() - knownAt < freshFor) return
    const asking = new AbortController()
    Promise.all([endpoints.definitions(asking.signal), endpoints.schedules({ limit: 200 }, asking.signal)]).then(
      ([tasks, schedules]) => {
        known = { tasks: tasks.items, schedules: schedules.items }
        knownAt = clock.local()
        setNow(known)
      },
      (error) => {
        if (isProblem(error)) setFailed(true)
      }
    )
    return () => asking.abort()
  }, [])
  return { known: now, failed }
}

/** Without words what was chosen lately comes first; with words what fits best. */
const offered = (text: string, items: ReadonlyArray<Item>, lately: ReadonlyArray<string>): ReadonlyArray<Item> => {
  if (text.trim() === "") {
    const before = lately.flatMap((id) => items.find((item) => item.id === id && item.reason === undefined) ?? [])
    const rest = items.filter((item) => !before.includes(item) && item.kind !== "task" && item.kind !== "schedule")
    const [can, cannot] = [true, false].map((may) => rest.filter(({ reason }) => (reason === undefined) === may))
    return [...before.slice(0, 5), ...can ?? [], ...cannot ?? []].slice(0, most)
  }
  const runs = runsOf(text)
  return [...runs, ...ranked(text, items).slice(0, most), searchOf(text)]
}

const Option = ({ at, index, item, onChoose, onPoint }: {
  readonly item: Item
  readonly index: number
  readonly at: number
  readonly onChoose: () => void
  readonly onPoint: () => void
}) => (
  <li
    id={`palette-${index}`}
    role="option"
    aria-selected={index === at}
    aria-disabled={item.reason === undefined ? undefined : true}
    onMouseDown={(event) => event.preventDefault()}
    onMouseMove={onPoint}
    onClick={onChoose}
  >
    <Icon name={item.icon} size={14} />
    <span class="label">{item.label}</span>
    {item.reason === undefined ? null : <span class="reason">{item.reason}</span>}
    <span class="kind">{t.palette.kinds[item.kind]}</span>
  </li>
)

export const Palette = () => {
  const { failed, known } = useKnown()
  const [text, setText] = useState("")
  const [at, setAt] = useState(0)
  const dialog = useRef<HTMLDialogElement>(null)
  const list = useRef<HTMLUListElement>(null)
  const lately = useMemo(recent, [])
  const items = offered(text, named(known), lately)
  const here = Math.min(at, items.length - 1)

  useEffect(() => {
    const before = document.activeElement
    dialog.current?.showModal()
    return () => {
      // What was chosen may have taken the focus already.
      if (document.activeElement !== document.body || !(before instanceof HTMLElement)) return
      if (before.isConnected) before.focus()
    }
  }, [])
  useEffect(() => {
    list.current?.children[here]?.scrollIntoView({ block: "nearest" })
  }, [here, items.length])

  const close = (): void => {
    paletteOpen.value = false
  }
  const choose = (item: Item | undefined): void => {
    if (item === undefined || item.reason !== undefined) return
    if (item.kind !== "search") chose(item.id)
    close()
    // Dialogs that it opens take the focus from what had it before the palette.
    setTimeout(item.choose)
  }

  const pageOf = (event: KeyboardEvent): number | null => {
    switch (event.key) {
      case "ArrowDown":
        return (here + 1) % items.length
      case "ArrowUp":
        return (here - 1 + items.length) % items.length
      case "PageDown":
        return Math.min(items.length - 1, here + 8)
      case "PageUp":
        return Math.max(0, here - 8)
      default:
        return null
    }
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation()
    const next = pageOf(event)
    if (next !== null) {
      event.preventDefault()
      setAt(next)
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault()
      choose(items[here])
    } else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      close()
    }
  }

  return (
    <dialog
      ref={dialog}
      class="palette"
      aria-label={t.palette.title}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onClick={(event) => {
        if (event.target === dialog.current) close()
      }}
      onKeyDown={onKeyDown}
    >
      <div class="palette-body">
        <div class="palette-field">
          <Icon name="search" />
          <input
            type="text"
            role="combobox"
            aria-label={t.palette.title}
            aria-expanded="true"
            aria-controls="palette-list"
            aria-activedescendant={items.length === 0 ? undefined : `palette-${here}`}
            aria-autocomplete="list"
            autocomplete="off"
            spellcheck={false}
            placeholder={t.palette.placeholder}
            value={text}
            onInput={(event) => {
              setText(event.currentTarget.value)
              setAt(0)
            }}
          />
        </div>
        <ul id="palette-list" ref={list} role="listbox" aria-label={t.palette.found}>
          {items.map((item, index) => (
            <Option
              key={item.id}
              item={item}
              index={index}
              at={here}
              onChoose={() => choose(item)}
              onPoint={() => setAt(index)}
            />
          ))}
        </ul>
        {failed ? <p class="palette-note" role="status">{t.palette.failed}</p> : null}
      </div>
    </dialog>
  )
}
