/** Which word somebody meant who made a typo. Plain TypeScript, also for browsers. */

// Words longer than this are no typos of ours, and the work stays small.
const longest = 24

/** How many letters were added, left out, exchanged or swapped with their neighbour. */
const distance = (one: string, other: string): number => {
  let before: ReadonlyArray<number> = []
  let row: ReadonlyArray<number> = Array.from({ length: other.length + 1 }, (_, index) => index)
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1]
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      next.push(Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (same ? 0 : 1),
        swapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY
      ))
    }
    before = row
    row = next
  }
  return row[other.length]!
}

/** The known word that is at most two steps away, or begins so, or that this begins with; undefined without any. */
export const nearest = (word: string, known: ReadonlyArray<string>): string | undefined => {
  const asked = word.toLowerCase()
  if (asked === "" || asked.length > longest) return undefined
  let best: string | undefined
  let least = Math.min(2, asked.length - 1) + 0.5
  for (const one of known) {
    const related = asked.length > 1 && (one.startsWith(asked) || asked.startsWith(one))
    const steps = related ? 0.5 : distance(asked, one)
    if (steps < least) {
      best = one
      least = steps
    }
  }
  return best
}
