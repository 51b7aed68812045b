/**
 * Between Node's request and response and those of the web: what frameworks on `node:http` and `node:http2` hand over.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http"
import { Readable } from "node:stream"
import type { ReadableStream as NodeReadableStream } from "node:stream/web"

/** The part of `http.IncomingMessage` and `http2.Http2ServerRequest` that is needed here. */
export interface NodeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly httpVersionMajor: number
  readonly socket: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean }
  readonly readableDidRead: boolean
}

/** The part of `http.ServerResponse` and `http2.Http2ServerResponse` that is needed here. */
export interface NodeResponse {
  readonly writableEnded: boolean
  readonly writableFinished: boolean
  readonly statusCode: number
  readonly headersSent: boolean
  readonly destroyed?: boolean
  writeHead(status: number, headers: OutgoingHttpHeaders): unknown
  flushHeaders?(): void
  write(chunk: Uint8Array): boolean
  end(): unknown
  destroy(): unknown
  once(event: "close" | "finish" | "drain", listener: () => void): unknown
  off(event: "close" | "finish" | "drain", listener: () => void): unknown
}

type Body = NonNullable<RequestInit["body"]>

// A web Request refuses these, and what is no word of HTTP, which HTTP/2 lets pass.
const impossible = /^(CONNECT|TRACE|TRACK)$|[^A-Z0-9!#$%&'*+.^_`|~-]/i

/** Whether a web request can have the method of this one. */
export const hasWebMethod = ({ method = "GET" }: NodeRequest): boolean => !impossible.test(method)

/** What a body parser of the framework made of the body, as text again. */
const parsedBody = (request: NodeRequest, type: string): Body | undefined => {
  const body: unknown = "body" in request ? request.body : undefined
  if (body === undefined || body === null) return undefined
  if (typeof body === "string" || body instanceof Uint8Array) return body as Body // safe: both are
  return type.startsWith("application/x-www-form-urlencoded")
    ? new URLSearchParams(body as Record<string, string>) // safe: what a form parser gives
    : JSON.stringify(body)
}

const headersOf = ({ headers }: NodeRequest): Headers => {
  const all = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(":")) continue
    for (const one of Array.isArray(value) ? value : [value]) all.append(name, one)
  }
  const authority = headers[":authority"]
  if (!all.has("host") && typeof authority === "string") all.set("host", authority)
  return all
}

const urlOf = ({ socket, url = "/" }: NodeRequest, headers: Headers): string => {
  const here = `${socket.encrypted === true ? "https" : "http"}://${headers.get("host") ?? "localhost"}`
  const whole = url.startsWith("/") ? `${here}${url}` : "*"
  const parsed = URL.canParse(whole) ? new URL(whole) : null
  // `Host: name:password@here` is one that a web Request refuses.
  return parsed === null || parsed.username !== "" || parsed.password !== "" ? "http://localhost/" : whole
}

const asWeb = (request: NodeRequest, response: NodeResponse): Request => {
  const method = request.method ?? "GET"
  const headers = headersOf(request)
  const abort = new AbortController()
  response.once("close", () => {
    if (!response.writableFinished) abort.abort()
  })
  const init: RequestInit & { duplex?: "half" } = { method, headers, signal: abort.signal }
  if (method !== "GET" && method !== "HEAD") {
    const parsed = request.readableDidRead ? parsedBody(request, headers.get("content-type") ?? "") : undefined
    if (parsed !== undefined) headers.delete("content-length")
    // safe: requests of Node are readable, and undici takes web streams of Node
    init.body = parsed ?? (request.readableDidRead ? null : Readable.toWeb(request as unknown as Readable) as Body)
    init.duplex = "half"
  }
  return new Request(urlOf(request, headers), init)
}

/**
 * The request as the web has it; null when it cannot be one, by its method or by anything else: whatever a client sends, this
 * does not throw into the host. `signal` aborts when the client leaves.
 */
export const toRequest = (request: NodeRequest, response: NodeResponse): Request | null => {
  if (!hasWebMethod(request)) return null
  try {
    return asWeb(request, response)
  } catch {
    return null
  }
}

// HTTP/2 has no such headers, and Node refuses to send them.
const ofHttp1 = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"])

const outgoing = (headers: Headers, http1: boolean): OutgoingHttpHeaders => {
  const all: OutgoingHttpHeaders = {}
  headers.forEach((value, name) => {
    if (name !== "set-cookie" && (http1 || !ofHttp1.has(name))) all[name] = value
  })
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) all["set-cookie"] = cookies
  return all
}

const drained = (to: NodeResponse): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      to.off("drain", end)
      to.off("close", end)
      resolve()
    }
    to.once("drain", end)
    to.once("close", end)
  })

/** Writes the response chunk by chunk as it comes, no faster than the client reads. A client that leaves ends the body. */
export const write = async (from: Response, to: NodeResponse, request: NodeRequest): Promise<void> => {
  if (to.writableEnded || to.headersSent) return void await from.body?.cancel()
  to.writeHead(from.status, outgoing(from.headers, request.httpVersionMajor < 2))
  // safe: the same streams
  const reader = (from.body as NodeReadableStream<Uint8Array> | null)?.getReader()
  if (reader === undefined || request.method === "HEAD") {
    to.end()
    return void await reader?.cancel()
  }
  let left = false
  const leave = (): void => {
    left = !to.writableFinished
    if (left) void reader.cancel().catch(() => {})
  }
  to.once("close", leave)
  // A body that begins later than its headers: the client shall know that it is connected.
  if (!from.headers.has("content-length")) to.flushHeaders?.()
  try {
    for (let next = await reader.read(); !next.done && !left; next = await reader.read()) {
      if (!to.write(next.value)) await drained(to)
    }
    if (!left) to.end()
  } catch {
    // Half a body must not look like a whole one.
    to.destroy()
  } finally {
    to.off("close", leave)
  }
}
