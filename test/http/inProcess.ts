/**
 * The HTTP API without a server, in the fiber of the test: its clock is the test's, and it may come from any address.
 */
import { HttpLayerRouter, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Context, Effect, Layer } from "effect"
import { TaskHttp } from "effect-taskflow/http"
import { expect } from "vitest"
import * as Page from "../../src/http/dashboard/page.js"
import type { Answer } from "./support.js"

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | ReadableStream<Uint8Array> | undefined
  readonly address?: string
  /** Scheme and host of the URL. */
  readonly at?: string
}

export type Ask = (method: string, path: string, asked?: Asked) => Effect.Effect<Answer>

/** What every answer has to carry. */
export const expectSecured = ({ headers }: Answer, what: string) => {
  expect(headers, what).toMatchObject({
    "cache-control": expect.stringMatching(/^no-store(, no-transform)?$/),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": String(headers["content-type"]).startsWith("text/html")
      ? Page.policy
      : "default-src 'none'; frame-ancestors 'none'"
  })
  expect(Object.keys(headers).filter((name) => name.startsWith("access-control-")), what).toEqual([])
}

/** Builds the routes and answers how to ask them; every answer is checked for its headers. */
export const inProcess = (options: TaskHttp.TaskHttpOptions) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(Layer.provideMerge(TaskHttp.layer(options), HttpLayerRouter.layer))
    const effect = Context.get(context, HttpLayerRouter.HttpRouter).asHttpEffect()
    const ask: Ask = (method, path, { address, at = "http://tasks.localhost", body, headers = {} } = {}) =>
      Effect.gen(function*() {
        const web = new Request(`${at}${path}`, {
          method,
          headers,
          // safe: undici asks for it with a stream, and the DOM types do not know it
          ...(body === undefined ? {} : { body, duplex: "half" } as object)
        })
        const request = HttpServerRequest.fromWeb(web).modify(address === undefined ? {} : { remoteAddress: address })
        const response = yield* Effect.scoped(
          Effect.provideService(effect, HttpServerRequest.HttpServerRequest, request)
        ).pipe(Effect.orDie)
        const answer = HttpServerResponse.toWeb(response)
        const text = yield* Effect.promise(() => answer.text())
        let parsed: any
        try {
          parsed = JSON.parse(text)
        } catch {
          parsed = undefined
        }
        const whole = { status: answer.status, headers: Object.fromEntries(answer.headers), text, body: parsed }
        expectSecured(whole, `${method} ${path} → ${answer.status}`)
        return whole
      })
    return ask
  })

export const json = (value: unknown): Asked => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify(value)
})

/** Logs in and answers the whole answer. */
export const login = (ask: Ask, username: string, password: string, more: Asked = {}) => {
  const { body, headers } = json({ username, password })
  return ask("POST", "/tasks/auth/login", { ...more, body, headers: { ...headers, ...more.headers } })
}

/** The cookie of an answer, as a browser sends it back. */
export const cookieOf = ({ headers }: Answer): string => String(headers["set-cookie"]).split(";")[0]!

export const withCookie = (cookie: string, more: Record<string, string> = {}): Asked => ({
  headers: { cookie, ...more }
})
