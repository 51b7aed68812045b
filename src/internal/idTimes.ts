/** Times as ranges of ids: an id begins with the time its task was created. Pure. */

const maxMillis = 2 ** 48 - 1

/** The smallest UUIDv7 of a millisecond. */
const firstIdOf = (millis: number): string => {
  const hex = Math.max(0, Math.floor(millis)).toString(16).padStart(12, "0")
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`
}

/** The first id from this time on; null when no id is that late. */
export const idFrom = (millis: number): string | null => millis <= maxMillis ? firstIdOf(millis) : null

/**
 * An id is made with the time of creation, or a later one when the clock stepped back: by no more than this, or the task is
 * not found by the time it says.
 */
export const clockSlack = 60_000
