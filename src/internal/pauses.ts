/** Pauses as instances compare them. Pure. */
import * as Hash from "effect/Hash"
import type { Control, Paused } from "../ControlStore.js"

export const nothingPaused: Paused = { everything: false, names: [] }

/** What a list of controls pauses. */
export const pausedBy = (controls: ReadonlyArray<Control>): Paused => ({
  everything: controls.some(({ target }) => target._tag === "Everything"),
  names: controls.flatMap(({ target }) => target._tag === "Task" ? [target.name] : [])
})

/** A short text that is the same for the same pauses, in whatever order, and hardly ever for others. */
export const digestOf = ({ everything, names }: Paused): string =>
  `${everything ? "*" : ""}${names.length}:${Hash.string(JSON.stringify([...names].sort()))}`
