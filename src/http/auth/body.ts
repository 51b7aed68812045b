/**
 * Reads the body of a request as far as it may go. What is behind it does not read the wire any more.
 *
 * Not through the platform's own readers: they destroy the connection of a body that is too large, and its sender would
 * never see the answer.
 */
import * as Headers from "@effect/platform/Headers"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import { BodyMalformed, BodyTooLarge } from "./AuthProblem.js"

type Request = HttpServerRequest.HttpServerRequest

/** The part of Node's `IncomingMessage` that is needed here. */
interface NodeSource {
  readonly readableEnded: boolean
  on(event: "data" | "end" | "error" | "close", listener: (chunk: Uint8Array) => void): this
  off(event: "data" | "end" | "error" | "close", listener: (chunk: Uint8Array) => void): this
  resume(): this
}

type Failure = BodyTooLarge | BodyMalformed

const isNode = (source: unknown): source is NodeSource =>
  typeof source === "object" && source !== null && "readableEnded" in source && "off" in source

const tooLarge = (limit: number) => new BodyTooLarge({ message: `the body is larger than ${limit} bytes`, limit })

const broken = new BodyMalformed({ message: "the body ended before it was whole" })

const ofNode = (source: NodeSource, limit: number) =>
  Effect.async<Uint8Array, Failure>((resume) => {
    if (source.readableEnded) return resume(Effect.succeed(new Uint8Array()))
    const chunks: Array<Uint8Array> = []
    let size = 0
    const done = (result: Effect.Effect<Uint8Array, Failure>) => {
      source.off("data", data).off("end", end).off("error", fail).off("close", fail)
      // The rest flows off unread until the answer closes the connection.
      source.on("error", () => {}).resume()
      resume(result)
    }
    const data = (chunk: Uint8Array) => {
      size += chunk.length
      if (size > limit) return done(Effect.fail(tooLarge(limit)))
      chunks.push(chunk)
    }
    const end = () => done(Effect.sync(() => Buffer.concat(chunks)))
    const fail = () => done(Effect.fail(broken))
    source.on("data", data).on("end", end).on("error", fail).on("close", fail)
    return Effect.sync(() => source.off("data", data).off("end", end).off("error", fail).off("close", fail))
  })

const ofWeb = (source: globalThis.Request, limit: number) =>
  source.body === null || source.bodyUsed ? Effect.succeed(new Uint8Array()) : Effect.acquireUseRelease(
    Effect.sync(() => source.body!.getReader()),
    (reader) =>
      Effect.gen(function*() {
        const chunks: Array<Uint8Array> = []
        let size = 0
        while (true) {
          const { done, value } = yield* Effect.tryPromise({ try: () => reader.read(), catch: () => broken })
          if (done) return Buffer.concat(chunks)
          size += value.length
          if (size > limit) return yield* tooLarge(limit)
          chunks.push(value)
        }
      }),
    (reader) => Effect.ignore(Effect.tryPromise(() => reader.cancel()))
  )

/** The bytes of the body; empty without one. What says itself that it is too long is not read at all. */
export const read = (request: Request, limit: number): Effect.Effect<Uint8Array, Failure> => {
  if (Number(request.headers["content-length"] ?? 0) > limit) return Effect.fail(tooLarge(limit))
  return isNode(request.source)
    ? ofNode(request.source, limit)
    : request.source instanceof globalThis.Request
    ? ofWeb(request.source, limit)
    : Effect.dieMessage("TaskHttp does not know this kind of server")
}

/** Whether the type is JSON, with or without parameters. Programs may leave it out. */
export const isJson = ({ headers }: Request, strict: boolean): boolean =>
  headers["content-type"] === undefined ? !strict : /^application\/json *(;|$)/i.test(headers["content-type"])

// Deeper than anybody nests what they send, and far from the end of the stack of whatever walks through it later.
const maxDepth = 256

/** Whether lists and objects of this JSON stand in each other deeper than that. */
const isTooDeep = (text: string): boolean => {
  let depth = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const unit = text[at]
    if (unit === "\"") quoted = !quoted
    else if (quoted) at += unit === "\\" ? 1 : 0
    else if (unit === "[" || unit === "{") depth += 1
    else if (unit === "]" || unit === "}") depth -= 1
    if (depth > maxDepth) return true
  }
  return false
}

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** The request with its body read, as JSON whatever it said: what reads it otherwise would die, or wait for the wire. */
export const withBody = (request: Request, bytes: Uint8Array): Effect.Effect<Request, BodyMalformed> =>
  Effect.map(
    Effect.filterOrFail(
      Effect.try({
        try: () => {
          const text = utf8.decode(bytes)
          return { text, json: text === "" ? null : JSON.parse(text) as unknown }
        },
        catch: () => new BodyMalformed({ message: "the body is no JSON" })
      }),
      ({ text }) => !isTooDeep(text),
      () => new BodyMalformed({ message: `the body is nested deeper than ${maxDepth}` })
    ),
    ({ json, text }): Request =>
      Object.create(request, {
        headers: { value: Headers.set(request.headers, "content-type", "application/json") },
        text: { value: Effect.succeed(text) },
        json: { value: Effect.succeed(json) }
      })
  )
