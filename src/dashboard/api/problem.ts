/** Why a request came to nothing, as one kind of error: what the server refused, or that it did not answer. */

export class ApiProblem extends Error {
  override readonly name = "ApiProblem"
  constructor(
    /** The tag of the API's body, or `Network`, `Timeout` or `Unreadable`. */
    readonly tag: string,
    /** 0 when there was no answer. */
    readonly status: number,
    message: string,
    /** What the body says besides. */
    readonly details: Readonly<Record<string, unknown>> = {}
  ) {
    super(message)
  }
}

export const isProblem = (error: unknown, tag?: string): error is ApiProblem =>
  error instanceof ApiProblem && (tag === undefined || error.tag === tag)

export const isAborted = (error: unknown): boolean => error instanceof DOMException && error.name === "AbortError"

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** What an answer that is no success says. */
export const ofAnswer = (status: number, body: unknown): ApiProblem => {
  const details = isObject(body) ? body : {}
  const { _tag, message } = details
  return new ApiProblem(
    typeof _tag === "string" ? _tag : "Unreadable",
    status,
    typeof message === "string" ? message : `the server answered ${status}`,
    details
  )
}
