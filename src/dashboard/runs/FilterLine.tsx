/** The filter as chips and a field that completes what is being written. */
import { useEffect, useRef, useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Suggestion } from "../api/types.js"
import { setParams } from "../location.js"
import { t } from "../text/en.js"
import { Key } from "../ui/controls.js"
import { Icon } from "../ui/Icon.js"
import { query } from "./list.js"
import { chipsOf, joined, partsOf, problemOf } from "./terms.js"

const Chip = ({ onRemove, term }: { readonly term: string; readonly onRemove: () => void }) => {
  const [key, value] = partsOf(term)
  return (
    <span class="tok">
      {key === "" ? null : <b>{key}</b>}
      <span>{value}</span>
      <button type="button" aria-label={t.filter.remove(term)} onClick={onRemove}>
        <Icon name="close" size={12} />
      </button>
    </span>
  )
}

const asTyped = 120

/** What the server offers for the text at the caret, a moment after the typing stopped. */
const useSuggestions = (text: string, caret: number, on: boolean): ReadonlyArray<Suggestion> => {
  const [items, setItems] = useState<ReadonlyArray<Suggestion>>([])
  useEffect(() => {
    if (!on) return setItems([])
    const asking = new AbortController()
    const timer = setTimeout(() => {
      // Where the text was replaced, the caret may still be that of the one before.
      endpoints.suggest(text, Math.min(caret, text.length), asking.signal).then(
        (answer) => setItems(answer.items),
        () => {}
      )
    }, asTyped)
    return () => {
      clearTimeout(timer)
      asking.abort()
    }
  }, [text, caret, on])
  return items
}

export const FilterLine = () => {
  const { q } = query.value
  const chips = chipsOf(q)
  const [text, setText] = useState(chips === null ? q : "")
  const [caret, setCaret] = useState(0)
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState(-1)
  const field = useRef<HTMLInputElement>(null)
  const items = useSuggestions(text, caret, open)
  const terms = chips?.terms ?? []
  const problem = text.trim() === "" ? null : problemOf(text)

  // An address may hold what cannot be read: then it is there to be mended.
  useEffect(() => {
    if (chips === null) setText(q)
  }, [q])

  const apply = (all: ReadonlyArray<string>): void => setParams({ q: joined(all) })

  const commit = (typed: string): void => {
    const more = chipsOf(typed.trim())
    // What is wrong with it is said once nothing is offered any more.
    if (more === null) return setOpen(false)
    setText("")
    setAt(-1)
    setOpen(false)
    if (more.terms.length > 0) apply([...terms, ...more.terms])
  }

  const take = ({ from, insert, kind, to }: Suggestion): void => {
    const next = `${text.slice(0, from)}${insert}${text.slice(to)}`
    const end = from + insert.length
    setAt(-1)
    if (kind === "value" && end === next.length) return commit(next)
    setText(next)
    setCaret(end)
    setOpen(true)
    requestAnimationFrame(() => field.current?.setSelectionRange(end, end))
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    const chosen = items[at]
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault()
      if (items.length > 0) {
        setAt(
          (at + (event.key === "ArrowDown" ? 1 : -1) + items.length + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) %
            items.length
        )
      } else setOpen(true)
    } else if (event.key === "Enter") {
      event.preventDefault()
      if (chosen === undefined) commit(text)
      else take(chosen)
    } else if (event.key === "Tab" && chosen !== undefined) {
      event.preventDefault()
      take(chosen)
    } else if (event.key === "Escape") {
      if (open && items.length > 0) setOpen(false)
      else if (text !== "") {
        setText("")
        setOpen(false)
      } else field.current?.blur()
      event.stopPropagation()
    } else if (event.key === "Backspace" && text === "" && terms.length > 0) {
      event.preventDefault()
      setText(terms.at(-1) ?? "")
      apply(terms.slice(0, -1))
    }
  }

  const follow = (element: HTMLInputElement): void => {
    setText(element.value)
    setCaret(element.selectionStart ?? element.value.length)
    setAt(-1)
    setOpen(true)
  }

  const shown = open && items.length > 0
  return (
    <div class="query-root">
      <div
        class={`query${problem === null || open ? "" : " wrong"}`}
        onClick={(event) => event.target === event.currentTarget && field.current?.focus()}
      >
        <Icon name="search" />
        {terms.map((term, index) => (
          <Chip
            key={`${index} ${term}`}
            term={term}
            onRemove={() => apply(terms.filter((_, other) => other !== index))}
          />
        ))}
        <input
          ref={field}
          id="filter"
          type="text"
          role="combobox"
          aria-label={t.filter.label}
          aria-expanded={shown}
          aria-controls="suggestions"
          aria-activedescendant={shown && at >= 0 ? `suggestion-${at}` : undefined}
          aria-autocomplete="list"
          aria-invalid={problem !== null && !open ? true : undefined}
          aria-describedby={problem === null ? undefined : "filter-problem"}
          autocomplete="off"
          spellcheck={false}
          placeholder={terms.length === 0 ? t.filter.placeholder : undefined}
          value={text}
          onInput={(event) => follow(event.currentTarget)}
          onClick={(event) => follow(event.currentTarget)}
          onKeyDown={onKeyDown}
          onBlur={() => {
            setOpen(false)
            if (text.trim() !== "") commit(text)
          }}
        />
        {terms.length > 0 || text !== ""
          ? (
            <button type="button" class="clear" aria-label={t.filter.clear} onClick={() => (setText(""), apply([]))}>
              <Icon name="close" size={14} />
            </button>
          )
          : <Key>/</Key>}
      </div>
      {shown
        ? (
          <ul class="suggestions" id="suggestions" role="listbox" aria-label={t.filter.suggestions}>
            {items.map((item, index) => (
              <li
                key={item.label}
                id={`suggestion-${index}`}
                role="option"
                aria-selected={index === at}
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => take(item)}
              >
                <span>{item.kind === "key" ? item.insert : item.label}</span>
                {item.kind === "key" ? <span class="dim">{item.label.slice(item.insert.length)}</span> : null}
              </li>
            ))}
          </ul>
        )
        : null}
      {problem === null
        ? null
        : <p id="filter-problem" class={open ? "sr" : "trouble"} role={open ? undefined : "alert"}>{problem}</p>}
    </div>
  )
}
