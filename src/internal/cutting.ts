/** What one call of `enqueueMany` writes in one commit, and what in several. Pure. */
import type { Prepared } from "./prepare.js"

// What is written together: `enqueueMany` with more goes in several commits. Each key is a lock on some databases.
const maxTogether = 10_000
const maxKeysTogether = 1_000
// In UTF-16 units of their payloads; one that is larger goes alone.
const maxSizeTogether = 8 * 1_048_576

/** Cuts what one call wants enqueued into what is committed together. */
export const cut = (all: ReadonlyArray<Prepared>): ReadonlyArray<ReadonlyArray<Prepared>> => {
  const most = all.some(({ idempotencyKey }) => idempotencyKey !== null) ? maxKeysTogether : maxTogether
  const parts: Array<Array<Prepared>> = []
  let part: Array<Prepared> = []
  let size = 0
  for (const one of all) {
    const other = part.length > 0 && part[0]!.persist !== one.persist
    if (part.length > 0 && (other || part.length === most || size + one.payload.length > maxSizeTogether)) {
      parts.push(part)
      part = []
      size = 0
    }
    part.push(one)
    size += one.payload.length
  }
  return part.length === 0 ? parts : [...parts, part]
}
