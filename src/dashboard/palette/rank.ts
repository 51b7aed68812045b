/** How well what was typed fits a name: small and of one's own, because it decides what Enter does. Pure. */

/** What can be looked for: its name, and other words that people may type for it. */
export interface Findable {
  readonly label: string
  readonly words?: string
}

const points = { whole: 100, start: 80, word: 60, inside: 40, scattered: 10 }

// A word begins behind anything that is no letter or digit, and where small letters turn large.
const beginsWord = (text: string, at: number): boolean =>
  at === 0 || !/[\p{L}\p{N}]/u.test(text.charAt(at - 1)) ||
  /\p{Ll}/u.test(text.charAt(at - 1)) && /\p{Lu}/u.test(text.charAt(at))

/** Whether the letters are there in this order: how many gaps are between them; null when they are not. */
const gapsIn = (token: string, text: string): number | null => {
  let at = -1
  let gaps = 0
  for (const letter of token) {
    const next = text.indexOf(letter, at + 1)
    if (next < 0) return null
    if (at >= 0 && next > at + 1) gaps += 1
    at = next
  }
  return gaps
}

const ofToken = (token: string, text: string): number | null => {
  const lower = text.toLowerCase()
  if (lower === token) return points.whole
  let inside = false
  for (let at = lower.indexOf(token); at >= 0; at = lower.indexOf(token, at + 1)) {
    if (at === 0) return points.start
    if (beginsWord(text, at)) return points.word
    inside = true
  }
  if (inside) return points.inside
  const gaps = token.length < 3 ? null : gapsIn(token, lower)
  return gaps === null || gaps > token.length / 2 ? null : points.scattered - gaps
}

/** Larger is better; null: it does not fit. Each word of the text has to fit, the name counts twice what other words do. */
export const scoreOf = (text: string, { label, words = "" }: Findable): number | null => {
  let sum = 0
  for (const token of text.toLowerCase().split(/\s+/).filter((part) => part !== "")) {
    const own = ofToken(token, label)
    const other = words === "" ? null : ofToken(token, words)
    // Scattered letters are found in any long text.
    const more = other === null || other < points.inside ? null : other / 2
    const best = Math.max(own ?? 0, more ?? 0)
    if (best === 0) return null
    sum += best
  }
  return sum - Math.min(label.length, 100) / 100
}

/** Those that fit, the best first; of equal ones the order stays. */
export const ranked = <A extends Findable>(text: string, items: ReadonlyArray<A>): ReadonlyArray<A> =>
  items
    .flatMap((item) => {
      const score = scoreOf(text, item)
      return score === null ? [] : [{ item, score }]
    })
    .sort((a, b) => b.score - a.score)
    .map(({ item }) => item)
