/** Cursors of pages that are sorted by a number and then by an id: of the audit trail, of groups of errors. Pure. */

/** Where a page ended. */
export type Place = readonly [value: number, id: string]

/** An id as these stores have them: of an entry, or a fingerprint. */
export const isPlain = (id: unknown): id is string => typeof id === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(id)

export const write = (place: Place): string => JSON.stringify(place)

/** The place; null of what is no cursor, behind which nothing is. */
export const read = (cursor: string): Place | null => {
  try {
    const found: unknown = JSON.parse(cursor)
    if (!Array.isArray(found) || found.length !== 2) return null
    const [value, id]: ReadonlyArray<unknown> = found
    return Number.isSafeInteger(value) && isPlain(id) ? [value as number, id] : null // safe: just asked
  } catch {
    return null
  }
}
