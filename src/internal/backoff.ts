/**
 * How long to wait before something that failed is asked again: 50 ms, doubling to 5 seconds, spread so that many who
 * failed together do not come back together.
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** Spreads a wait over 80 to 120 percent of itself. */
export const jittered = (millis: number): Effect.Effect<number> =>
  Effect.map(Random.next, (draw) => millis * (0.8 + 0.4 * draw))

/** Waits about `millis`. */
export const pause = (millis: number): Effect.Effect<void> =>
  Effect.flatMap(jittered(millis), (spread) => Effect.sleep(spread))

/** The wait after the failure number `failures`, counted from 1, before it is spread. */
export const millisAfter = (failures: number): number => Math.min(5_000, 50 * 2 ** Math.min(failures - 1, 10))

/** Waits as long as the failure number `failures` asks for. */
export const afterFailure = (failures: number): Effect.Effect<void> => pause(millisAfter(failures))
