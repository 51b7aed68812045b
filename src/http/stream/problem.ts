/**
 * How the stream refuses: `{ _tag, message, … }` with a status, as the rest of the HTTP API does.
 */
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"

/** 400: a topic that does not exist, or too many of them. */
export class BadTopic extends Schema.TaggedError<BadTopic>()("BadTopic", {
  message: Schema.String
}, HttpApiSchema.annotations({ status: 400, description: "A topic does not exist, or there are too many" })) {}

/** 503: as many streams are open as this server allows, or it shuts down. */
export class StreamUnavailable extends Schema.TaggedError<StreamUnavailable>()("StreamUnavailable", {
  message: Schema.String,
  /** Seconds, also in the header `Retry-After`. */
  retryAfter: Schema.Number
}, HttpApiSchema.annotations({ status: 503, description: "No more streams: poll, and try again later" })) {}
