/**
 * The two routes of the hub: the stream, and its twin for those who poll.
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { BadTopic, StreamUnavailable } from "./problem.js"
import type { Polled, StreamHub, Visitor, Wish } from "./StreamHub.js"
import * as Topics from "./topics.js"

const headers = {
  "cache-control": "no-store, no-transform",
  // Proxies that collect a body before they hand it on would make it anything but live.
  "x-accel-buffering": "no",
  // The server cannot close while a connection is kept alive for the next request.
  connection: "close"
}

// Ids of the hub are short; anything longer is not one.
const maxId = 64

const wishOf: Effect.Effect<Wish, BadTopic, HttpServerRequest.HttpServerRequest> = Effect.flatMap(
  HttpServerRequest.HttpServerRequest,
  (request) => {
    const query = new URLSearchParams(request.url.slice(request.url.indexOf("?") + 1 || request.url.length))
    const topics = Topics.parse(query.get("topics") ?? undefined)
    // The header is of this connection, the parameter perhaps of an older one: a browser repeats the URL.
    const since = request.headers["last-event-id"] || query.get("since") || query.get("after") || undefined
    return typeof topics === "string"
      ? Effect.fail(new BadTopic({ message: topics }))
      : Effect.succeed({ topics, since: since === undefined || since.length <= maxId ? since : "" })
  }
)

const hiddenLogs = new BadTopic({ message: "log lines are not shown here: leave out log:ID" })

// Lines are read once for all who watch a task, so whoever may not see them must not be among those.
const allowedWish = ({ mayReadLogs }: Visitor): Effect.Effect<Wish, BadTopic, HttpServerRequest.HttpServerRequest> =>
  Effect.filterOrFail(
    wishOf,
    ({ topics }) => mayReadLogs || topics.watched.every(({ kind }) => kind !== "log"),
    () => hiddenLogs
  )

const refused = (problem: BadTopic | StreamUnavailable): HttpServerResponse.HttpServerResponse =>
  problem._tag === "BadTopic"
    ? HttpServerResponse.unsafeJson(Schema.encodeSync(BadTopic)(problem), { status: 400 })
    : HttpServerResponse.unsafeJson(Schema.encodeSync(StreamUnavailable)(problem), {
      status: 503,
      headers: { "retry-after": String(problem.retryAfter) }
    })

export const stream = (connect: StreamHub["connect"]): StreamHub["stream"] => (visitor) =>
  allowedWish(visitor).pipe(
    Effect.bindTo("wish"),
    Effect.bind("request", () => HttpServerRequest.HttpServerRequest),
    Effect.flatMap(({ request, wish }) =>
      // Nobody reads the body of a HEAD, so a connection for it would never end.
      request.method === "HEAD"
        ? Effect.succeed(HttpServerResponse.empty({
          status: 200,
          headers: { ...headers, "content-type": "text/event-stream" }
        }))
        : Effect.map(
          connect(visitor, wish),
          (bytes) => HttpServerResponse.stream(bytes, { contentType: "text/event-stream", headers })
        )
    ),
    Effect.catchAll((problem) => Effect.succeed(refused(problem)))
  )

const encoder = new TextEncoder()

const bodyOf = ({ frames, next }: Polled): Uint8Array =>
  Buffer.concat([
    encoder.encode(`{"frames":[`),
    ...frames.flatMap((frame, index) => index === 0 ? [frame] : [encoder.encode(","), frame]),
    encoder.encode(`],"next":${JSON.stringify(next)}}`)
  ])

export const changes = (poll: StreamHub["poll"]): StreamHub["changes"] => (visitor) =>
  allowedWish(visitor).pipe(
    Effect.flatMap((wish) => poll(visitor, wish)),
    Effect.map((polled) =>
      HttpServerResponse.uint8Array(bodyOf(polled), {
        contentType: "application/json",
        headers: { "cache-control": headers["cache-control"] }
      })
    ),
    Effect.catchAll((problem) => Effect.succeed(refused(problem)))
  )
