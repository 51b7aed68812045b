/** What the fields of one form share: how they change it, what is wrong where, and what a field's own parts are called. */
import { createContext } from "preact"
import { useContext, useId } from "preact/hooks"
import type { Field } from "./fields.js"
import { type Path, textOf } from "./place.js"

export interface FormControl {
  readonly set: (path: Path, value: unknown) => void
  /** By place, as `items[2].price`. */
  readonly wrong: ReadonlyMap<string, string>
  /** Whether this value stands for one that is hidden. */
  readonly isKept: (value: unknown) => boolean
}

export const FormContext = createContext<FormControl>({ set: () => {}, wrong: new Map(), isKept: () => false })

export interface PartProps {
  readonly name: string
  readonly path: Path
  readonly field: Field
  readonly value: unknown
}

export const useField = ({ field, path, value }: PartProps) => {
  const { isKept, set, wrong } = useContext(FormContext)
  const id = useId()
  const place = textOf(path)
  const trouble = wrong.get(place)
  const kept = isKept(value)
  const hasHint = field.description !== null || kept
  const described = [...hasHint ? [`${id}h`] : [], ...trouble === undefined ? [] : [`${id}t`]].join(" ")
  return {
    id,
    place,
    trouble,
    kept,
    change: (next: unknown) => set(path, next),
    /** For the control itself. */
    own: {
      id,
      "data-place": place,
      "aria-describedby": described === "" ? undefined : described,
      "aria-invalid": trouble === undefined ? undefined : true as const
    }
  }
}

export type Used = ReturnType<typeof useField>
