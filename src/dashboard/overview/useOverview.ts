/**
 * The overview of a window, asked for again when what it is made from changed, not more often than once in a while; and now and
 * then anyway, because the window moves on.
 */
import { useEffect, useRef } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import type { Overview } from "../api/types.js"
import * as clock from "../clock.js"
import { onFrame, paused, watchesMinutes } from "../live/store.js"
import { type Polled, usePolled } from "../ui/polled.js"
import type { Range } from "./change.js"

const atMostEvery = 3_000
const anyway = 20_000

export const useOverview = (range: Range): Polled<Overview> => {
  const askedAt = useRef(0)
  const polled = usePolled(range, (signal) => {
    askedAt.current = clock.local()
    return endpoints.overview(range, signal)
  }, anyway)
  const reload = useRef(polled.reload)
  reload.current = polled.reload

  useEffect(() => {
    watchesMinutes.value = true
    let timer: ReturnType<typeof setTimeout> | undefined
    let missed = false
    const askSoon = (): void => {
      missed = paused.peek()
      if (missed) return
      timer ??= setTimeout(() => {
        timer = undefined
        if (paused.peek()) missed = true
        else reload.current()
      }, Math.max(300, askedAt.current + atMostEvery - clock.local()))
    }
    const stops = [
      // A minute tells of ends, counts of whatever starts, waits or is retried.
      onFrame(({ t }) => {
        if (t === "bucket" || t === "counts" || t === "reset") askSoon()
      }),
      // What happened during a pause is shown when it ends.
      paused.subscribe((isPaused) => {
        if (!isPaused && missed) askSoon()
      })
    ]
    return () => {
      watchesMinutes.value = false
      clearTimeout(timer)
      for (const stop of stops) stop()
    }
  }, [])
  return polled
}
