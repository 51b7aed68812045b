/**
 * The answers that the guard gives itself, and what it puts on every answer.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Schema from "effect/Schema"

type Response = HttpServerResponse.HttpServerResponse

/** A problem as an answer: its body and its status. */
export const problem = <A extends { readonly message: string }, I>(
  schema: Schema.Schema<A, I>,
  value: A,
  headers: Readonly<Record<string, string>> = {}
): Response =>
  HttpServerResponse.unsafeJson(Schema.encodeSync(schema)(value), {
    status: HttpApiSchema.getStatusError(schema),
    headers
  })

// What is answered tells of tasks: no cache keeps it, no other site embeds it, no browser guesses its type.
const always = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin"
}
// Pages, assets and streams say more exactly what holds for them.
const unlessSaid = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'"
}

/** The same for answers that are no answers of the router. */
export const securing: Readonly<Record<string, string>> = { ...unlessSaid, ...always }

export const secured = (response: Response): Response =>
  HttpServerResponse.setHeaders(response, { ...unlessSaid, ...response.headers, ...always })
