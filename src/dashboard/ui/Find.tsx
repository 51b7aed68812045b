/** A field that narrows what is shown; its words are in the address. */
import { useRef } from "preact/hooks"
import { param, setParams } from "../location.js"
import { useKeys } from "../shell/keyboard.js"
import { Icon } from "./Icon.js"

interface FindProps {
  /** The parameter of the address. */
  readonly name: string
  readonly label: string
  /** Asked with Enter or when the field is left, where each word is a request. */
  readonly whenDone?: boolean
}

export const Find = ({ label, name, whenDone = false }: FindProps) => {
  const set = (value: string): void => setParams({ [name]: value.trim() === "" ? null : value }, { replace: !whenDone })
  const field = useRef<HTMLInputElement>(null)
  useKeys(whenDone ? {} : { "/": () => field.current?.focus() })
  return (
    <label class="find">
      <Icon name="search" size={14} />
      <span class="sr">{label}</span>
      <input
        ref={field}
        type="search"
        placeholder={label}
        autoComplete="off"
        spellcheck={false}
        value={param(name) ?? ""}
        onInput={(event) => whenDone ? undefined : set(event.currentTarget.value)}
        onKeyDown={({ currentTarget, key }) => {
          // The browser empties it at the first Escape.
          if (key === "Escape" && currentTarget.value === "") currentTarget.blur()
        }}
        onChange={(event) => set(event.currentTarget.value)}
      />
    </label>
  )
}
