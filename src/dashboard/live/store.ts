/**
 * What the app knows of runs: the fold of the server's own reducer over frames and answers, and the state of the connection that
 * brings the frames.
 */
import { batch, computed, effect, signal } from "@preact/signals"
import type { Frame } from "../../http/stream/frame.js"
import * as TaskStream from "../../http/stream/reduce.js"
import * as Ahead from "../api/ahead.js"
import type { Run } from "../api/types.js"
import * as clock from "../clock.js"
import { config } from "../config.js"
import { logins, readSession } from "../session.js"
import * as Connection from "./connection.js"

export type Live = TaskStream.Live<Run>

export const live = signal<Live>(TaskStream.empty<Run>())
export const connection = signal<Connection.State>({ kind: "connecting" })

/** When the last frame came, in epoch milliseconds of the browser: how old what is shown may be. */
export const lastHeard = signal<number | null>(null)

/** Nothing moves on the screen while this is set; what happens is counted. */
export const paused = signal(false)

/** Another build of the server answers: this page should be loaded again. */
export const outdated = signal(false)

export const isLive = computed(() => connection.value.kind === "live" || connection.value.kind === "polling")

/** Runs that ended per second, as last said. */
export const rate = computed(() => live.value.counts?.rate ?? null)

/** Changes a frame before it is folded, to what the list wants to hear of. */
type Lens = (frame: Frame<Run>, before: Live) => Frame<Run>
let lens: Lens = (frame) => frame
type Listener = (frame: Frame<Run>) => void
const listeners = new Set<Listener>()

export const setLens = (next: Lens): void => {
  lens = next
}

/** Calls back after each frame, until it is told to stop. */
export const onFrame = (listener: Listener): () => void => {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

const hello = (frame: Frame<Run>): void => {
  if (frame.t !== "hello") return
  clock.heard(frame.now)
  // From here on the stream tells what changes; before it nobody did.
  Ahead.forget()
  if (frame.build !== config.build) outdated.value = true
}

const stream = Connection.connect({
  now: clock.local,
  random: Math.random,
  lastId: () => live.peek().lastId,
  onFrame: (frame, id) =>
    batch(() => {
      hello(frame)
      lastHeard.value = clock.local()
      live.value = TaskStream.frame(live.peek(), lens(frame, live.peek()), id)
      for (const listener of listeners) listener(frame)
    }),
  onState: (state) => {
    connection.value = state
    // Who asks is found out by an ordinary request: if the session ended, that says so.
    if (state.kind === "refused") void readSession()
  }
})

export const retryNow = stream.retryNow

/** Runs that somebody looks at: their log lines and every change of them are told. */
export const watched = signal<ReadonlyArray<string>>([])

/** Whether somebody looks at what the roll-up of the latest minute changes. */
export const watchesMinutes = signal(false)

export const startLive = (): void => {
  effect(() =>
    stream.listen(
      ["runs", "counts", "batches", "fleet", ...watchesMinutes.value ? ["buckets"] : [], ...watched.value].join(",")
    )
  )
  effect(() => {
    if (logins.value > 0) stream.retryNow()
  })
}

/** A request whose answer is folded in: what frames said meanwhile is neither lost nor overwritten. */
export const asking = async <A>(
  request: () => Promise<A>,
  fold: (before: Live, answer: A, token: number) => Live
): Promise<A> => {
  const [asked, token] = TaskStream.ask(live.peek())
  live.value = asked
  try {
    const answer = await request()
    live.value = fold(live.peek(), answer, token)
    return answer
  } catch (error) {
    live.value = TaskStream.failed(live.peek(), token)
    throw error
  }
}

/** The run as it was told last. */
export const runOf = (id: string): Run | null => live.value.runs.get(id)?.row ?? null
