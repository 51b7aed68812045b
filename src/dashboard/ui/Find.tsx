/** A field that narrows what is shown; its words are in the address. */
import { param, setParams } from "../location.js"
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
  return (
    <label class="find">
      <Icon name="search" size={14} />
      <span class="sr">{label}</span>
      <input
        type="search"
        placeholder={label}
        autoComplete="off"
        spellcheck={false}
        value={param(name) ?? ""}
        onInput={(event) => whenDone ? undefined : set(event.currentTarget.value)}
        onChange={(event) => set(event.currentTarget.value)}
      />
    </label>
  )
}
