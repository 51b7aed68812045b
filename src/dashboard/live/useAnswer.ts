/**
 * What an endpoint answers, for a page that shows it whole: asked again when the question is another one, after a login, and while runs
 * change, not more often than once in a while. What is shown stays until the next answer.
 */
import { useEffect, useRef, useState } from "preact/hooks"
import { type ApiProblem, isAborted, isProblem } from "../api/problem.js"
import * as clock from "../clock.js"
import { logins } from "../session.js"
import { isNewsOf } from "./fleet.js"
import { onFrame, paused } from "./store.js"

export interface Answer<A> {
  /** The latest; null before the first. */
  readonly value: A | null
  /** Why there is no later one. */
  readonly problem: ApiProblem | null
  /** What is shown answers an earlier question. */
  readonly isOfAnother: boolean
  readonly busy: boolean
  readonly reload: () => void
}

interface Known<A> {
  readonly question: string
  readonly value: A | null
  readonly problem: ApiProblem | null
  readonly busy: boolean
}

const atMostEvery = 3_000
// The server sums up figures at most every five seconds: behind the last change they are asked for once more.
const settled = 5_500
// What belongs together comes in several frames.
const soon = 300

// Somebody did it, and looks whether it worked.
const isDoneBySomebody = isNewsOf("pauses", "definitions")

export const useAnswer = <A>(question: string, load: (signal: AbortSignal) => Promise<A>): Answer<A> => {
  const [known, setKnown] = useState<Known<A>>({ question, value: null, problem: null, busy: true })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load
  const login = logins.value

  const askedAt = useRef(0)
  useEffect(() => {
    askedAt.current = clock.local()
    const asking = new AbortController()
    setKnown((before) => ({ ...before, busy: true }))
    latest.current(asking.signal).then(
      (value) => setKnown({ question, value, problem: null, busy: false }),
      (error) => {
        if (asking.signal.aborted || isAborted(error)) return
        if (!isProblem(error)) throw error
        setKnown((before) => ({ ...before, problem: error, busy: false }))
      }
    )
    return () => asking.abort()
  }, [question, turn, login])

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    let last: ReturnType<typeof setTimeout> | undefined
    let missed = false
    const ask = (): void => setTurn((before) => before + 1)
    const askTwice = (): void => {
      ask()
      clearTimeout(last)
      last = setTimeout(() => paused.peek() ? undefined : ask(), settled)
    }
    const askSoon = (atMost = atMostEvery): void => {
      if (atMost < atMostEvery) {
        clearTimeout(timer)
        timer = undefined
      }
      timer ??= setTimeout(() => {
        timer = undefined
        if (paused.peek()) missed = true
        else askTwice()
      }, Math.max(soon, askedAt.current + atMost - clock.local()))
    }
    const stop = onFrame((frame) => {
      const isDone = isDoneBySomebody(frame)
      if (frame.t !== "runs" && !isDone) return
      if (paused.peek()) missed = true
      else askSoon(isDone ? soon : atMostEvery)
    })
    // What happened during a pause is shown when it ends.
    const stopPause = paused.subscribe((isPaused) => {
      if (isPaused || !missed) return
      missed = false
      askSoon()
    })
    return () => {
      stop()
      stopPause()
      clearTimeout(timer)
      clearTimeout(last)
    }
  }, [])

  return {
    value: known.value,
    problem: known.problem,
    isOfAnother: known.question !== question,
    busy: known.busy,
    reload: () => setTurn((before) => before + 1)
  }
}
