/** Rows that do not move under a hand: while somebody points at a table or is in it, it keeps the order that it had. */
import { useRef, useState } from "preact/hooks"

/** The items in their order before, what is new behind them. Pure. */
export const steady = <A>(before: ReadonlyArray<string>, items: ReadonlyArray<A>, keyOf: (item: A) => string) => {
  const places = new Map(before.map((key, index) => [key, index]))
  const placeOf = (item: A): number => places.get(keyOf(item)) ?? before.length
  return [...items].sort((a, b) => placeOf(a) - placeOf(b))
}

/** The items as they may be shown now, and what the table has to listen to. `how` names the order that was asked for. */
export const useSteady = <A>(items: ReadonlyArray<A>, keyOf: (item: A) => string, how: string) => {
  const [pointed, setPointed] = useState(false)
  const [focused, setFocused] = useState(false)
  const shown = useRef<{ readonly how: string; readonly keys: ReadonlyArray<string> }>({ how, keys: [] })
  const isHeld = (pointed || focused) && shown.current.how === how
  const rows = isHeld ? steady(shown.current.keys, items, keyOf) : items
  shown.current = { how, keys: rows.map(keyOf) }
  return {
    rows,
    hold: {
      onPointerMove: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocusCapture: () => setFocused(true),
      onBlurCapture: () => setFocused(false)
    }
  }
}
