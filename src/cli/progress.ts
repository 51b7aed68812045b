/** A bar on a terminal for what takes long. Elsewhere there is none, so nothing has to be cut out of what is kept. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { Screen } from "./Screen.js"

const cells = 24
const every = 100

const count = (value: number): string => value.toLocaleString("en-US")

const drawn = (label: string, done: number, total: number | null): string => {
  if (total === null || total <= 0) return `${label} ${count(done)}`
  const share = Math.min(1, done / total)
  const full = Math.round(share * cells)
  return `${label} [${"#".repeat(full)}${"-".repeat(cells - full)}] ${Math.floor(share * 100)}% ${count(done)}/${
    count(total)
  }`
}

/** Says that so many more are done. */
export type Advance = (more: number) => Effect.Effect<void>

/** Runs `body` with a bar of `total`, null when nobody knows how many; the bar is gone afterwards. */
export const during = <A, E, R>(
  label: string,
  total: number | null,
  body: (advance: Advance) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | Screen> =>
  Effect.flatMap(Screen, ({ live }) => {
    if (live === null) return body(() => Effect.void)
    let done = 0
    let drawnAt = Number.NEGATIVE_INFINITY
    const draw = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (now - drawnAt < every) return Effect.void
      drawnAt = now
      return live(`\r${drawn(label, done, total)}\u001b[K`)
    })
    const advance: Advance = (more) =>
      Effect.suspend(() => {
        done += more
        return draw
      })
    return Effect.ensuring(Effect.zipRight(draw, body(advance)), live("\r\u001b[K"))
  })
