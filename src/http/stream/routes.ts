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

const eventStream = "text/event-stream"

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

// Who asks for the head alone reads nothing: a stream for them would be open until its lifetime is over, and one of few.
const head = Effect.succeed(
  HttpServerResponse.empty({ status: 200, headers: { ...headers, "content-type": eventStream } })
)

const opened = (connect: StreamHub["connect"]): StreamHub["stream"] => (visitor) =>
  allowedWish(visitor).pipe(
    Effect.flatMap((wish) => connect(visitor, wish)),
    Effect.map((bytes) => HttpServerResponse.stream(bytes, { contentType: eventStream, headers })),
    Effect.catchAll((problem) => Effect.succeed(refused(problem)))
  )

export const stream = (connect: StreamHub["connect"]): StreamHub["stream"] => (visitor) =>
  Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    ({ method }) => method === "HEAD" ? head : opened(connect)(visitor)
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
