/**
 * Who may pass. Given to `TaskHttp`, which asks before every route; there is no default, so nothing is open by oversight.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import { TaskflowWiringError } from "../TaskError.js"

export interface TaskAuth {
  /** Whether the request may pass. */
  readonly check: (request: HttpServerRequest.HttpServerRequest) => Effect.Effect<boolean>
  /** Sent as `WWW-Authenticate` with a refusal; null for none. */
  readonly challenge: string | null
}

/** Everybody may pass: for servers that nobody else reaches, or behind something that asks. */
export const open: TaskAuth = { check: () => Effect.succeed(true), challenge: null }

export interface BasicOptions {
  /** Without a colon, which HTTP Basic uses to separate it from the password. */
  readonly username: string
  readonly password: Redacted.Redacted
}

const digest = (bytes: string | Uint8Array): Buffer => createHash("sha256").update(bytes).digest()

/**
 * HTTP Basic with one user. Both sides are hashed and compared in constant time, so neither content nor length can be
 * found out by timing. Throws a `TaskflowWiringError` when the username or the password is empty.
 */
export const basic = ({ password, username }: BasicOptions): TaskAuth => {
  const refuse = (message: string): never => {
    throw new TaskflowWiringError({ message: `TaskAuth.basic: ${message}` })
  }
  if (username === "" || username.includes(":")) refuse("username is empty or contains a colon")
  if (Redacted.value(password) === "") refuse("password is empty")
  const expected = digest(`${username}:${Redacted.value(password)}`)
  return {
    challenge: `Basic realm="tasks", charset="UTF-8"`,
    check: ({ headers }) =>
      Effect.sync(() => {
        const given = /^basic +(\S+)\s*$/i.exec(headers["authorization"] ?? "")?.[1]
        const bytes = given === undefined ? Either.left(given) : Encoding.decodeBase64(given)
        return Either.isRight(bytes) && timingSafeEqual(digest(bytes.right), expected)
      })
  }
}
