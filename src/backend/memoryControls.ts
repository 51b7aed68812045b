/** The pauses of MemoryBackend. Plain data, no effects. */
import type { Control, ControlTarget, Paused, PauseOutcome } from "../ControlStore.js"
import { maxPausedNames } from "../ControlStore.js"

export type Controls = ReturnType<typeof make>

export const make = () => {
  const names = new Map<string, Control>()
  let everything: Control | null = null

  return {
    pause: (target: ControlTarget, by: string, now: number): PauseOutcome => {
      const control = { target, since: now, by }
      if (target._tag === "Everything") {
        if (everything !== null) return "AlreadyPaused"
        everything = control
        return "Paused"
      }
      if (names.has(target.name)) return "AlreadyPaused"
      if (names.size >= maxPausedNames) return "TooMany"
      names.set(target.name, control)
      return "Paused"
    },

    resume: (target: ControlTarget): boolean => {
      if (target._tag === "Task") return names.delete(target.name)
      const was = everything !== null
      everything = null
      return was
    },

    list: (): ReadonlyArray<Control> =>
      [...everything === null ? [] : [everything], ...names.values()].sort((a, b) => b.since - a.since),

    paused: (): Paused => ({ everything: everything !== null, names: [...names.keys()] }),

    isPaused: (name: string): boolean => everything !== null || names.has(name)
  }
}
