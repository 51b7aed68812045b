/** What is paused for all instances, as the server said last: shown wherever somebody wonders why nothing runs. */
import { computed, effect, signal } from "@preact/signals"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import type { Pauses } from "../api/types.js"
import { logins } from "../session.js"
import { isNewsOf } from "./fleet.js"
import { onFrame } from "./store.js"

/** Null until the server said. */
export const pauses = signal<Pauses | null>(null)

/** The pause of everything, while there is one. */
export const everything = computed(() => pauses.value?.items.find(({ taskName }) => taskName === null) ?? null)

/** Whether runs of a task wait because of a pause. */
export const isPaused = (name: string): boolean =>
  pauses.value?.items.some(({ taskName }) => taskName === null || taskName === name) ?? false

let asked = 0

/** What fails is asked again with the next frame that tells of pauses. */
export const readPauses = async (): Promise<void> => {
  asked += 1
  const mine = asked
  try {
    const answer = await endpoints.pauses()
    if (mine === asked) pauses.value = answer
  } catch (error) {
    if (!isProblem(error)) throw error
  }
}

export const startPauses = (): void => {
  const isNews = isNewsOf("pauses")
  onFrame((frame) => {
    if (isNews(frame)) void readPauses()
  })
  effect(() => {
    void logins.value
    void readPauses()
  })
}
