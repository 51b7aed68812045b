/**
 * How far this machine's clock is from the backend's, as far as that can be known. Pure.
 *
 * The backend read its clock at some moment between the question and the answer, so one answer gives two bounds. Only what
 * lies outside of them is certainly wrong: an answer that took its time (a full queue, a slow server) corrects nothing.
 */

/** Milliseconds to add to our clock: the truth is between the two. */
export interface Bounds {
  readonly least: number
  readonly most: number
}

// What clocks and a busy process are off by anyway, in milliseconds.
export const noise = 1_000

/** The bounds that one answer gives. `sent` and `received` are our clock's. */
export const boundsOf = (sent: number, received: number, backendNow: number): Bounds => ({
  least: backendNow - Math.max(sent, received),
  most: backendNow - Math.min(sent, received)
})

/** The offset nearest to `offset` that the bounds allow. */
export const nearest = (offset: number, { least, most }: Bounds): number => Math.min(most, Math.max(least, offset))

/** The offset to go on with: another one only when this one is wrong by more than noise. */
export const corrected = (offset: number, bounds: Bounds): number => {
  if (Math.abs(nearest(offset, bounds) - offset) < noise) return offset
  // A short question says nearly exactly how late it is; of a long one only the nearer bound is certain.
  return Math.round(
    bounds.most - bounds.least <= noise ? (bounds.least + bounds.most) / 2 : nearest(offset, bounds)
  )
}
