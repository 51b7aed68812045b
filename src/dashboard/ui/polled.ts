/**
 * An answer that is asked for again while somebody looks. What is shown stays until the next answer is there, also when one fails;
 * nothing is asked while nobody can see it or updates are paused.
 */
import { useEffect, useRef, useState } from "preact/hooks"
import { type ApiProblem, isAborted, isProblem } from "../api/problem.js"
import { paused } from "../live/store.js"
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

/** `question` names what `read` asks; with another one it is asked at once. `every` in milliseconds, null for once. */
export const usePolled = <A>(
  question: string,
  read: (signal: AbortSignal) => Promise<A>,
  every: number | null
): Polled<A> => {
  const [state, setState] = useState<State<A>>({ value: null, of: null, problem: null, busy: true, turn: 0 })
  const asking = useRef<AbortController | null>(null)

  const ask = async (): Promise<void> => {
    asking.current?.abort()
    const mine = new AbortController()
    asking.current = mine
    setState((before) => ({ ...before, busy: true }))
    try {
      const value = await read(mine.signal)
      if (asking.current !== mine) return
      setState(({ turn }) => ({ value, of: question, problem: null, busy: false, turn: turn + 1 }))
    } catch (error) {
      if (isAborted(error) || asking.current !== mine) return
      if (!isProblem(error)) throw error
      setState((before) => ({ ...before, problem: error, busy: false }))
    }
    asking.current = null
  }

  const latest = useRef(ask)
  latest.current = ask
  const login = logins.value

  useEffect(() => {
    void latest.current()
    const timer = every === null ? undefined : setInterval(() => {
      if (!document.hidden && !paused.peek() && asking.current === null) void latest.current()
    }, every)
    return () => {
      clearInterval(timer)
      asking.current?.abort()
      asking.current = null
    }
  }, [question, every, login])

  const { busy, of, problem, turn, value } = state
  return { value, problem, busy, turn, isOfAnother: of !== question, reload: () => void latest.current() }
}
