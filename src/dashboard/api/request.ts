/** One request to the API: JSON in, JSON out, every failure an `ApiProblem`. */
import { endpoint } from "../config.js"
import * as Ahead from "./ahead.js"
import { ApiProblem, isAborted, ofAnswer } from "./problem.js"

export type Params = Readonly<Record<string, string | number | boolean | undefined>>

interface Asked {
  readonly params?: Params
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
}

// Longer than the server takes for anything but a stream.
const patience = 35_000

/** The address of an endpoint with its parameters; what is undefined is left out. */
export const address = (path: string, params: Params = {}): URL => {
  const url = endpoint(path)
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "") url.searchParams.set(name, String(value))
  }
  return url
}

let onUnauthorized = (): void => {}

/** What to do when the server does not know who asks any more. */
export const whenUnauthorized = (act: () => void): void => {
  onUnauthorized = act
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const answerOf = async (response: Response): Promise<unknown> => {
  const body = parsed(await response.text())
  if (response.ok) return body
  const problem = ofAnswer(response.status, body)
  if (problem.tag === "Unauthorized") onUnauthorized()
  throw problem
}

/** Every request of this app says that a script of this app sent it: the server asks for that. */
export const own = { "x-taskflow": "1" } as const

/** Sends a request that is asked for later, when the app knows what to do with the answer. */
export const askAhead = (path: string, params: Params): void =>
  Ahead.ask(address(path, params), { headers: own, signal: AbortSignal.timeout(patience) })

const send = async (method: "GET" | "POST" | "DELETE", path: string, { body, params, signal }: Asked) => {
  const limit = AbortSignal.timeout(patience)
  const url = address(path, params)
  try {
    const response = await (method === "GET" && Ahead.take(url) || fetch(url, {
      method,
      headers: body === undefined ? own : { ...own, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit])
    }))
    const answer = await answerOf(response)
    // One that was sent ahead knows nothing of this signal.
    signal?.throwIfAborted()
    return answer
  } catch (error) {
    if (error instanceof ApiProblem || isAborted(error)) throw error
    throw limit.aborted
      ? new ApiProblem("Timeout", 0, `the server did not answer within ${patience / 1_000} s`)
      : new ApiProblem("Network", 0, "the server cannot be reached")
  }
}

// safe: the server and this app are built from the same schemas
export const get = <A>(path: string, params?: Params, signal?: AbortSignal): Promise<A> =>
  send("GET", path, { ...params === undefined ? {} : { params }, signal }) as Promise<A>

export const post = <A>(path: string, body?: unknown, params?: Params): Promise<A> =>
  send("POST", path, { body, ...params === undefined ? {} : { params } }) as Promise<A>

export const remove = <A>(path: string, params: Params, signal?: AbortSignal): Promise<A> =>
  send("DELETE", path, { params, signal }) as Promise<A>
