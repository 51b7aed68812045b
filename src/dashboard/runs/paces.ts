/** How long runs of each task usually take, to tell what is slow. */
import { signal } from "@preact/signals"
import * as endpoints from "../api/endpoints.js"

/** By name: the duration that 95 of 100 runs of the last day stayed under, in milliseconds. */
export const paces = signal<ReadonlyMap<string, number>>(new Map())

const readAgain = 60_000

const read = async (): Promise<void> => {
  const answer = await endpoints.definitions().catch(() => null)
  if (answer === null) return
  paces.value = new Map(
    answer.items.flatMap(({ last24h, taskName }) =>
      last24h.p95Duration === null ? [] : [[taskName, last24h.p95Duration] as const]
    )
  )
}

/** Keeps them while a page shows them; answers how to stop. */
export const startPaces = (): () => void => {
  void read()
  const timer = setInterval(() => void read(), readAgain)
  return () => clearInterval(timer)
}
