/**
 * One connection to the live stream, kept up: read with `fetch`, which unlike EventSource can tell a refusal from a broken line.
 *
 * It waits longer after each failure, begins again where it was, watches for silence, rests while nobody can see the page, and
 * asks for changes instead when the server has too many listeners.
 */
import type { Frame } from "../../http/stream/frame.js"
import { reader } from "../../http/stream/messages.js"
import { isProblem, ofAnswer } from "../api/problem.js"
import { address, get, own } from "../api/request.js"
import type { Run } from "../api/types.js"
import { backoff } from "./backoff.js"

export type State =
  | { readonly kind: "connecting" }
  | { readonly kind: "live" }
  /** The server has no room for another stream: changes are asked for every few seconds. */
  | { readonly kind: "polling" }
  /** Epoch milliseconds of the browser. */
  | { readonly kind: "lost"; readonly retryAt: number }
  | { readonly kind: "resting" }
  | { readonly kind: "refused" }

export interface ConnectionOptions {
  readonly now: () => number
  readonly random: () => number
  readonly lastId: () => string | null
  readonly onFrame: (frame: Frame<Run>, id: string | null) => void
  readonly onState: (state: State) => void
}

export interface Connection {
  /** What to hear of. Begins again when it is something else. */
  readonly listen: (topics: string) => void
  readonly retryNow: () => void
}

const silence = 35_000
const restAfter = 20_000
const pollEvery = 5_000

interface Polled {
  readonly frames: ReadonlyArray<Frame<Run>>
  readonly next: string
}

export const connect = ({ lastId, now, onFrame, onState, random }: ConnectionOptions): Connection => {
  let topics = ""
  let failures = 0
  let current: AbortController | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let resting: ReturnType<typeof setTimeout> | undefined

  const later = (delay: number, act: () => void): void => {
    clearTimeout(timer)
    timer = setTimeout(act, delay)
  }

  const lost = (): void => {
    const delay = backoff(failures, random())
    failures += 1
    onState({ kind: "lost", retryAt: now() + delay })
    later(delay, begin)
  }

  const poll = async (run: AbortController): Promise<void> => {
    try {
      const since = lastId() ?? undefined
      const { frames, next } = await get<Polled>("changes", { topics: "runs,counts,batches,fleet", since }, run.signal)
      if (run.signal.aborted) return
      onState({ kind: "polling" })
      frames.forEach((frame, index) => onFrame(frame, index === frames.length - 1 ? next : null))
      later(pollEvery, begin)
    } catch {
      if (!run.signal.aborted) lost()
    }
  }

  const read = async (response: Response, run: AbortController): Promise<void> => {
    const messages = reader()
    const decoder = new TextDecoder()
    const body = response.body?.getReader()
    // The line is broken when not even a ping comes.
    let watchdog = setTimeout(() => run.abort("silence"), silence)
    try {
      for (let part = await body?.read(); part !== undefined && !part.done; part = await body?.read()) {
        clearTimeout(watchdog)
        watchdog = setTimeout(() => run.abort("silence"), silence)
        for (const { data, id } of messages(decoder.decode(part.value, { stream: true }))) {
          // safe: the server and this app are built from the same types
          const frame = JSON.parse(data) as Frame<Run>
          if (frame.t === "hello") {
            failures = 0
            onState({ kind: "live" })
          }
          onFrame(frame, id)
        }
      }
    } finally {
      clearTimeout(watchdog)
    }
  }

  const run = async (mine: AbortController): Promise<void> => {
    try {
      const since = lastId()
      const response = await fetch(address("stream", { topics }), {
        headers: since === null ? own : { ...own, "last-event-id": since },
        signal: mine.signal,
        cache: "no-store"
      })
      if (response.status === 503) return await poll(mine)
      if (!response.ok) throw ofAnswer(response.status, await response.json().catch(() => null))
      await read(response, mine)
      // It said goodbye: its time was over, or the server ends.
      if (current === mine) lost()
    } catch (error) {
      // Replaced or put to rest, and whoever did that says what comes next.
      if (current !== mine) return
      if (isProblem(error) && (error.status === 401 || error.status === 403)) onState({ kind: "refused" })
      else lost()
    }
  }

  const stop = (): void => {
    clearTimeout(timer)
    const stopped = current
    current = null
    stopped?.abort()
  }

  function begin(): void {
    stop()
    if (topics === "") return
    const mine = new AbortController()
    current = mine
    void run(mine)
  }

  const retryNow = (): void => {
    failures = 0
    onState({ kind: "connecting" })
    begin()
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(resting)
    if (document.hidden) {
      resting = setTimeout(() => {
        stop()
        onState({ kind: "resting" })
      }, restAfter)
    } else if (current === null) retryNow()
  })
  addEventListener("online", retryNow)

  return {
    listen: (wanted) => {
      if (wanted === topics) return
      topics = wanted
      if (!document.hidden) begin()
    },
    retryNow
  }
}
