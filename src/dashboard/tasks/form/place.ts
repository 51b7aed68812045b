/** Places in a payload: read, changed, named, and what is wrong at them before the server is asked. Pure. */
import { type Field, fits, type Group, isFields } from "./fields.js"

export type Path = ReadonlyArray<string | number>

/** As the server names it: `items[2].price`. */
export const textOf = (path: Path): string =>
  path.reduce<string>(
    (text, step) => typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`,
    ""
  )

/** The value with another part at this place; undefined takes the part away. */
export const withPart = (value: unknown, path: Path, part: unknown): unknown => {
  const [step, ...rest] = path
  if (step === undefined) return part
  if (typeof step === "number") {
    const list: ReadonlyArray<unknown> = Array.isArray(value) ? value : []
    return part === undefined && rest.length === 0
      ? list.filter((_, index) => index !== step)
      : [...list.slice(0, step), withPart(list[step], rest, part), ...list.slice(step + 1)]
  }
  const before = isFields(value) ? value : {}
  const inner = withPart(before[step], rest, part)
  const others = Object.entries(before)
  if (inner === undefined) return Object.fromEntries(others.filter(([name]) => name !== step))
  return Object.fromEntries(
    Object.hasOwn(before, step)
      ? others.map(([name, one]) => [name, name === step ? inner : one])
      : [...others, [step, inner]]
  )
}

export interface Wrong {
  /** `items[2].price`. */
  readonly path: string
  readonly message: string
}

export interface Checks {
  /** Whether this value stands for one that is hidden, which the server puts back. */
  readonly isKept: (value: unknown) => boolean
  readonly words: { readonly missing: string; readonly noNumber: string; readonly notWhole: string }
}

const numberTrouble = (field: Field, value: unknown, { words }: Checks): string | null =>
  typeof value !== "number"
    ? words.noNumber
    : field.kind === "whole" && !Number.isInteger(value)
    ? words.notWhole
    : null

/** What a form can see by itself. Everything else is the server's to say. */
export const wrongIn = (field: Field, value: unknown, path: Path, checks: Checks): ReadonlyArray<Wrong> => {
  const here = (message: string): ReadonlyArray<Wrong> => [{ path: textOf(path), message }]
  if (value === undefined) return field.required && field.kind !== "json" ? here(checks.words.missing) : []
  if (value === null || checks.isKept(value) || !fits(field, value)) return []
  switch (field.kind) {
    case "number":
    case "whole": {
      const trouble = numberTrouble(field, value, checks)
      return trouble === null ? [] : here(trouble)
    }
    case "group":
      return isFields(value)
        ? field.fields.flatMap(([name, inner]) => wrongIn(inner, value[name], [...path, name], checks))
        : []
    case "list":
      return Array.isArray(value)
        ? value.flatMap((one, index) => wrongIn(field.item, one, [...path, index], checks))
        : []
    default:
      return []
  }
}

/** The places that have a field of their own, as the form shows them now. */
export const shownPlaces = (form: Group, value: unknown): ReadonlyArray<string> => {
  const places: Array<string> = []
  const walk = (field: Field, at: unknown, path: Path): void => {
    places.push(textOf(path))
    if (!fits(field, at)) return
    if (field.kind === "group" && isFields(at)) {
      for (const [name, inner] of field.fields) walk(inner, at[name], [...path, name])
    }
    if (field.kind === "list" && Array.isArray(at)) at.forEach((one, index) => walk(field.item, one, [...path, index]))
  }
  walk(form, value, [])
  return places
}

/** The place at or above this one that can show what is wrong; the whole form when there is none. */
export const placeFor = (path: string, places: ReadonlyArray<string>): string => {
  let at = path
  while (at !== "" && !places.includes(at)) at = /^(.*)(?:\.[^.[\]]*|\[\d+\])$/.exec(at)?.[1] ?? ""
  return at
}
