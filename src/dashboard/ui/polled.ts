/**
 * An answer that is asked for again while somebody looks: when the stream says that it is another one, and otherwise now and then.
 * What is shown stays until the next answer is there, also when one fails; nothing is asked while nobody can see it or updates are
 * paused.
 */
import { useEffect, useRef, useState } from "preact/hooks"
import type { Frame } from "../../http/stream/frame.js"
import { type ApiProblem, isAborted, isProblem } from "../api/problem.js"
import type { Run } from "../api/types.js"
import * as clock from "../clock.js"
import { connection, onFrame, paused } from "../live/store.js"
import { logins } from "../session.js"

export interface Polled<A> {
  /** The latest answer; null before the first. */
  readonly value: A | null
  /** Whether it answers an earlier question. */
  readonly isOfAnother: boolean
  /** Why the latest request came to nothing. */
  readonly problem: ApiProblem | null
  readonly busy: boolean
  /** Counts answers. */
  readonly turn: number
  readonly reload: () => void
}

interface State<A> {
  readonly value: A | null
  readonly of: string | null
  readonly problem: ApiProblem | null
  readonly busy: boolean
  readonly turn: number
}

/** How often it is asked although the stream says nothing: for what the stream does not tell of. */
const whileHeard = 5_000
/** Between two requests, however much the stream says. */
const atMostEvery = 900

/**
 * `question` names what `read` asks; with another one it is asked at once. `every` in milliseconds, null for once.
 * `isNews`: whether a frame of the stream says that the answer is another one; then `every` is for when nothing is heard of the stream.
 */
export const usePolled = <A>(
  question: string,
  read: (signal: AbortSignal) => Promise<A>,
  every: number | null,
  isNews?: (frame: Frame<Run>) => boolean
): Polled<A> => {
  const [state, setState] = useState<State<A>>({ value: null, of: null, problem: null, busy: true, turn: 0 })
  const asking = useRef<AbortController | null>(null)
  const askedAt = useRef(0)
  // What came to nothing is asked again soon, whatever is heard.
  const failing = useRef(false)

  const ask = async (): Promise<void> => {
    asking.current?.abort()
    const mine = new AbortController()
    asking.current = mine
    askedAt.current = clock.local()
    setState((before) => ({ ...before, busy: true }))
    try {
      const value = await read(mine.signal)
      if (asking.current !== mine) return
      failing.current = false
      setState(({ turn }) => ({ value, of: question, problem: null, busy: false, turn: turn + 1 }))
    } catch (error) {
      if (isAborted(error) || asking.current !== mine) return
      if (!isProblem(error)) throw error
      failing.current = true
      setState((before) => ({ ...before, problem: error, busy: false }))
    }
    asking.current = null
  }

  const latest = useRef(ask)
  latest.current = ask
  const login = logins.value

  useEffect(() => {
    void latest.current()
    let soon: ReturnType<typeof setTimeout> | undefined
    let missed = false
    const mayAsk = (): boolean => !document.hidden && !paused.peek()
    const timer = every === null ? undefined : setInterval(() => {
      const isHeard = isNews !== undefined && connection.peek().kind === "live" && !failing.current
      if (isHeard && clock.local() - askedAt.current < whileHeard) return
      if (mayAsk() && asking.current === null) void latest.current()
    }, every)
    const askSoon = (): void => {
      missed = true
      if (!mayAsk()) return
      soon ??= setTimeout(() => {
        soon = undefined
        if (!mayAsk()) return
        missed = false
        void latest.current()
      }, Math.max(0, askedAt.current + atMostEvery - clock.local()))
    }
    const stopFrames = isNews === undefined ? () => {} : onFrame((frame) => {
      if (isNews(frame)) askSoon()
    })
    // What happened during a pause is shown when it ends.
    const stopPause = paused.subscribe((isPaused) => {
      if (!isPaused && missed) askSoon()
    })
    return () => {
      clearInterval(timer)
      clearTimeout(soon)
      stopFrames()
      stopPause()
      asking.current?.abort()
      asking.current = null
    }
  }, [question, every, login])

  const { busy, of, problem, turn, value } = state
  return { value, problem, busy, turn, isOfAnother: of !== question, reload: () => void latest.current() }
}
