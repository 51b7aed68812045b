/** Samples in memory that is taken before the first of them: what is measured must not grow by being measured. */

const fields = [
  "at",
  "rss",
  "heap",
  "external",
  "resources",
  "rootFibers",
  "activeFibers",
  "metrics",
  "answered",
  "ended"
] as const

/**
 * `at`: milliseconds since the start. `rss`, `heap`, `external`: megabytes. `resources`: handles and requests that keep the
 * process alive. `answered`, `ended`: enqueues that were answered and tasks that ended, since the start.
 */
export type Sample = { readonly [Field in typeof fields[number]]: number }

export interface Samples {
  readonly add: (sample: Sample) => void
  /** All from `since` milliseconds on. */
  readonly from: (since: number) => ReadonlyArray<Sample>
}

/** Room for `most` of them; more are an error. */
export const make = (most: number): Samples => {
  const values = new Float64Array(most * fields.length)
  let count = 0
  const read = (index: number): Sample =>
    // safe: every field is there
    Object.fromEntries(fields.map((field, place) => [field, values[index * fields.length + place]])) as Sample
  return {
    add: (sample) => {
      if (count === most) throw new RangeError(`more than ${most} samples`)
      fields.forEach((field, place) => {
        values[count * fields.length + place] = sample[field]
      })
      count += 1
    },
    from: (since) => Array.from({ length: count }, (_, index) => read(index)).filter(({ at }) => at >= since)
  }
}
