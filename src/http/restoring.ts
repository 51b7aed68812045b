/**
 * Puts secrets back that a caller was not shown: what still stands as it was shown is what was stored. Pure.
 *
 * A caller sends a payload that was shown, changed. Where a part of it is as it was shown, the stored part is meant, hidden or
 * not. What else is sent is taken as it is, also text that looks like the placeholder. Of a list that has another length
 * nobody can say which secret a new element means: that is refused.
 */
import { placeholder } from "../internal/redaction.js"

/** The whole payload, or where it cannot be told which secret is meant: as `cards[2].token`. */
export type Restored = { readonly value: unknown } | { readonly unclear: string }

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Whether two JSON values say the same; the order of fields says nothing. */
export const isSame = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((one, index) => isSame(one, b[index]))
  }
  if (!isFields(a) || !isFields(b)) return false
  const names = Object.keys(a)
  return names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]))
}

const holdsPlaceholder = (value: unknown): boolean =>
  typeof value === "string"
    ? value.includes(placeholder)
    : Array.isArray(value)
    ? value.some(holdsPlaceholder)
    : isFields(value) && Object.values(value).some(holdsPlaceholder)

class Unclear {
  constructor(readonly path: string) {}
}

// An object of any names, also of `__proto__`, which an assignment would lose.
const objectOf = (entries: ReadonlyArray<readonly [string, unknown]>): Fields => Object.fromEntries(entries)

// One text for all that is the same, however its fields are ordered.
const textOf = (value: unknown): string =>
  JSON.stringify(
    value,
    (_, inner: unknown) => isFields(inner) ? objectOf(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1)) : inner
  )

const ofList = (
  sent: ReadonlyArray<unknown>,
  shown: ReadonlyArray<unknown>,
  stored: ReadonlyArray<unknown>,
  path: string
): ReadonlyArray<unknown> => {
  // What hides something, by how it is shown: null where two that look alike hide different things.
  const hiding = new Map<string, { readonly stored: unknown } | null>()
  shown.forEach((one, index) => {
    if (isSame(one, stored[index])) return
    const text = textOf(one)
    const known = hiding.get(text)
    if (known === undefined) hiding.set(text, { stored: stored[index] })
    else if (known !== null && !isSame(known.stored, stored[index])) hiding.set(text, null)
  })
  if (hiding.size === 0) return sent
  return sent.map((one, index) => {
    const at = `${path}[${index}]`
    if (index < shown.length && isSame(one, shown[index])) return stored[index]
    const moved = hiding.get(textOf(one))
    if (moved === null) throw new Unclear(at)
    if (moved !== undefined) return moved.stored
    if (sent.length === shown.length) return restore(one, shown[index], stored[index], at)
    if (holdsPlaceholder(one)) throw new Unclear(at)
    return one
  })
}

const restore = (sent: unknown, shown: unknown, stored: unknown, path: string): unknown => {
  if (isSame(sent, shown)) return stored
  if (Array.isArray(sent) && Array.isArray(shown) && Array.isArray(stored)) return ofList(sent, shown, stored, path)
  if (!isFields(sent) || !isFields(shown) || !isFields(stored)) return sent
  return objectOf(
    Object.entries(sent).map(([name, inner]) => [
      name,
      Object.hasOwn(shown, name) && Object.hasOwn(stored, name)
        ? restore(inner, shown[name], stored[name], path === "" ? name : `${path}.${name}`)
        : inner
    ])
  )
}

/** What `sent` means, by somebody who was shown `shown` of what is `stored`. */
export const restored = (sent: unknown, shown: unknown, stored: unknown): Restored => {
  try {
    return { value: restore(sent, shown, stored, "") }
  } catch (problem) {
    if (problem instanceof Unclear) return { unclear: problem.path }
    throw problem
  }
}

/** Whether what stands at this path, as `cards[2].token`, is what was sent: nothing in it was put back. */
export const isAsSent = (path: string, sent: unknown, whole: unknown): boolean => {
  // A name with a dot in it is not found, and what is not found counts as put back.
  const at = (value: unknown) =>
    path.split(/[.[]/).filter((step) => step !== "").reduce<unknown>(
      (inner, step) =>
        typeof inner === "object" && inner !== null ? Reflect.get(inner, step.replace(/\]$/, "")) : undefined,
      value
    )
  const found = at(sent)
  return found !== undefined && isSame(found, at(whole))
}
