/**
 * What the hub tells of the fleet: one look a second for all who listen, and of that only which parts are not as they were.
 *
 * Instances change without a change of any task, and no backend says so by itself: so somebody looks. It is one for all clients of
 * this server, while at least one listens, and what is done through this server is looked at at once.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as RealTime from "../../internal/realTime.js"
import type { Signal } from "../../internal/signal.js"
import type { FleetFrame, FleetPart } from "./frame.js"

/** For each part a short text that is another one when something of it changed. A part that was not asked for is left out. */
export type Digests = Readonly<Partial<Record<FleetPart, string>>>

export interface FleetSource {
  /** `all`: with what costs more to look at, schedules. */
  readonly read: (all: boolean) => Effect.Effect<Digests, unknown>
  /** Notified when something was done here. */
  readonly acted: Signal
}

const times = {
  /** Milliseconds between two looks, and at least between two frames. */
  look: 1_000,
  /** Real milliseconds that a look may take. */
  answer: 10_000
}

/** Every so many looks schedules are looked at too. */
const allEvery = 5

const parts: ReadonlyArray<FleetPart> = ["pauses", "instances", "definitions", "schedules"]

/** What differs, as a frame; null: nothing. Where nothing was known before, everything that is there may. */
export const frameOf = (before: Digests, after: Digests): FleetFrame | null => {
  const what = parts.filter((part) => after[part] !== undefined && before[part] !== after[part])
  return what.length === 0 ? null : { t: "fleet", what }
}

/** Looks and tells for as long as it runs. `signal` is notified when somebody begins to listen. */
export const telling = ({ isWanted, signal, source, tell }: {
  readonly source: FleetSource
  readonly signal: Signal
  readonly isWanted: (now: number) => boolean
  readonly tell: (frame: FleetFrame) => void
}): Effect.Effect<never> =>
  Effect.flatMap(Effect.clock, (clock) => {
    let known: Digests = {}
    let looks = 0
    let failing = false
    const wanted = () => isWanted(clock.unsafeCurrentTimeMillis())

    // What changed while nobody listened is not known: whoever comes next hears of everything.
    const awaited = Effect.suspend(() => {
      if (wanted()) return Effect.void
      known = {}
      looks = 0
      return signal.until(wanted)
    })

    const read = (all: boolean): Effect.Effect<Digests> =>
      RealTime.within(source.read(all), times.answer, () => new Error(`no answer in ${times.answer} ms`)).pipe(
        Effect.tap(() => Effect.sync(() => (failing = false))),
        Effect.catchAllCause((cause) => {
          const log = failing ? Effect.logDebug : Effect.logWarning
          failing = true
          return Effect.as(log("task stream: the fleet could not be looked at, trying again", cause), {})
        })
      )

    const look = (all: boolean): Effect.Effect<boolean> =>
      Effect.map(Effect.suspend(() => read(all)), (digests) => {
        const frame = frameOf(known, digests)
        known = { ...known, ...digests }
        if (frame !== null) tell(frame)
        return frame !== null
      })

    const pause = Clock.sleep(times.look)
    // True: something was done here, so everything is looked at.
    const untilNext = (told: boolean): Effect.Effect<boolean> =>
      told ? Effect.as(pause, true) : Effect.raceFirst(Effect.as(pause, false), Effect.as(source.acted.await, true))

    const round = (all: boolean): Effect.Effect<never> =>
      awaited.pipe(
        Effect.zipRight(Effect.suspend(() => {
          looks += 1
          return look(all || looks % allEvery === 1)
        })),
        Effect.flatMap(untilNext),
        Effect.flatMap(round)
      )
    return round(true)
  })
