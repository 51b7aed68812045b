/** What the service answers when it cannot do what it was asked: `{ _tag, message }`. */
import { HttpServerResponse } from "@effect/platform"
import { Effect, ParseResult } from "effect"

const problem = (status: number, _tag: string) => ({ message }: { readonly message: string }) =>
  Effect.succeed(HttpServerResponse.unsafeJson({ _tag, message }, { status }))

export const badRequest = problem(400, "BadRequest")
export const notJson = () => badRequest({ message: "the body is not JSON, or longer than 64 KiB" })
export const misfit = (error: ParseResult.ParseError) => {
  const issues = ParseResult.ArrayFormatter.formatErrorSync(error)
  // The message quotes what was sent: as much of it as helps.
  const texts = issues.map(({ message, path }) => `${path.join(".") || "the body"}: ${message.slice(0, 200)}`)
  return badRequest({ message: texts.join("; ") })
}
export const unavailable = () => problem(503, "Unavailable")({ message: "the task was not accepted: try again" })
