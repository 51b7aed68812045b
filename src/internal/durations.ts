/**
 * Durations in buckets that grow by ten percent, so a percentile is within five percent of the truth and two histograms
 * add up. Pure; the buckets are the ones a database keeps per minute.
 */
const growth = Math.log(1.1)

/** The bucket of a duration in milliseconds; everything under one millisecond shares bucket 0. */
export const bucketOf = (millis: number): number => millis < 1 ? 0 : 1 + Math.floor(Math.log(millis) / growth)

/** Where a bucket begins and where the next one does, in milliseconds. */
export const boundsOf = (bucket: number): { readonly from: number; readonly to: number } => ({
  from: bucket === 0 ? 0 : Math.exp((bucket - 1) * growth),
  to: Math.exp(bucket * growth)
})

/** The middle of a bucket, in milliseconds. */
export const middleOf = (bucket: number): number => bucket === 0 ? 0.5 : Math.exp((bucket - 0.5) * growth)

/** The duration below which `share` (0 to 1) of the counted ones lie, or null without any. */
export const percentile = (buckets: ReadonlyMap<number, number>, share: number): number | null => {
  let total = 0
  for (const count of buckets.values()) total += count
  if (total === 0) return null
  const rank = Math.max(1, Math.ceil(share * total))
  let seen = 0
  const ordered = [...buckets.keys()].sort((a, b) => a - b)
  for (const bucket of ordered) {
    seen += buckets.get(bucket)!
    if (seen >= rank) return middleOf(bucket)
  }
  return middleOf(ordered[ordered.length - 1]!)
}
