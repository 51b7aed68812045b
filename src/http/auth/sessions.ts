/**
 * Sessions of people who logged in: a signed cookie, renewed while it is used, and revoked at logout.
 *
 * What is revoked stands in the audit trail of the backend (`logout`, with the session's id as target), where every
 * instance looks before a session passes. When that cannot be read nobody passes.
 */
import { createHash } from "node:crypto"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { v4 } from "uuid"
import type { AuditEntry } from "../../AuditStore.js"
import type { TaskBackendError } from "../../TaskError.js"
import type { TaskManager } from "../../TaskManager.js"
import type { TaskUser } from "../TaskUser.js"
import type { GuardSettings } from "./GuardOptions.js"
import { checkedUser, type TaskAuthUnavailable } from "./known.js"
import { addressOf, isSecure } from "./origin.js"
import type { Account } from "./passwords.js"
import * as SessionToken from "./sessionToken.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

export interface Session {
  readonly sid: string
  readonly user: TaskUser
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** The cookie to send, when this request renewed the session. */
  readonly renewed: string | null
}

export interface Sessions {
  /** The session of the request, checked in every respect; null without a valid one. */
  readonly read: (request: Request) => Effect.Effect<Session | null, TaskBackendError | TaskAuthUnavailable>
  /** A new session under a new id. One that the request carries is revoked. */
  readonly start: (request: Request, account: Account) => Effect.Effect<Session, TaskBackendError>
  /** Revokes the session that the request carries, if it carries one. */
  readonly end: (request: Request) => Effect.Effect<void, TaskBackendError>
  /** Whether the request carries the cookie, whatever is in it. */
  readonly carries: (request: Request) => boolean
  /** Puts the token into the cookie of the answer; null takes the cookie away. */
  readonly setCookie: (request: Request, response: Response, token: string | null) => Response
  /** Writes to the audit trail what came of a login or a logout. */
  readonly audit: (
    request: Request,
    entry: Pick<AuditEntry, "who" | "action" | "target" | "outcome">
  ) => Effect.Effect<void, TaskBackendError>
}

// Revoked ids are for ever, so they may be remembered; that one is not revoked may not.
const remembered = 10_000

/** Mounts on one host have cookies of their own. */
const cookieOf = (mount: string): string =>
  mount === "/tasks" ? "taskflow" : `taskflow-${createHash("sha256").update(mount).digest("hex").slice(0, 8)}`

export const make = (settings: GuardSettings, trail: TaskManager["Type"]["audit"]): Sessions => {
  const { auth, keys, mount, sessionTtl } = settings
  const plainName = cookieOf(mount)
  const nameFor = (request: Request) => isSecure(request, settings) ? `__Host-${plainName}` : plainName
  const revoked = new Set<string>()

  const remember = (sid: string) => {
    revoked.add(sid)
    if (revoked.size > remembered) revoked.delete(revoked.values().next().value!)
  }

  const isRevoked = (sid: string): Effect.Effect<boolean, TaskBackendError> =>
    revoked.has(sid)
      ? Effect.succeed(true)
      : Effect.map(trail.page({ action: "logout", target: sid, limit: 1 }), ({ items }) => {
        if (items.length > 0) remember(sid)
        return items.length > 0
      })

  const verified = (request: Request) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      const token = request.cookies[nameFor(request)]
      const found = token === undefined ? null : SessionToken.verify(keys, token, now)
      return found === null ? null : { ...found, now }
    })

  const entryOf = (request: Request, entry: Pick<AuditEntry, "who" | "action" | "target" | "outcome">) =>
    Effect.map(Clock.currentTimeMillis, (at): AuditEntry => ({
      ...entry,
      id: v4(),
      at,
      parameters: JSON.stringify({ address: addressOf(request, settings) })
    }))

  const end = (request: Request) =>
    Effect.gen(function*() {
      const found = yield* verified(request)
      if (found === null || (yield* isRevoked(found.claims.sid))) return
      const { sid, user } = found.claims
      yield* trail.append([yield* entryOf(request, { who: user, action: "logout", target: sid, outcome: "done" })])
      remember(sid)
    })

  return {
    end,
    carries: ({ cookies }) => cookies[plainName] !== undefined || cookies[`__Host-${plainName}`] !== undefined,
    audit: (request, entry) => Effect.flatMap(entryOf(request, entry), (whole) => trail.append([whole])),
    read: (request) =>
      Effect.gen(function*() {
        const found = auth.passwords === null ? null : yield* verified(request)
        if (found === null || auth.passwords === null) return null
        const { claims, key, now } = found
        const isFingerprint = SessionToken.isFingerprint(key, claims)
        let proof = ""
        const isProof = (one: string) => {
          const fits = isFingerprint(one)
          if (fits) proof = one
          return fits
        }
        const user = yield* auth.passwords.confirm({ name: claims.user, access: claims.access }, isProof)
        if (user === null || (yield* isRevoked(claims.sid))) return null
        yield* checkedUser(user)
        const { exp, iat, sid } = claims
        const later = Math.min(now + sessionTtl, iat + SessionToken.longestSession)
        const rotated = key !== keys[0]
        if (!rotated && (exp - now > sessionTtl / 2 || later <= exp)) {
          return { sid, user, expiresAt: exp, renewed: null }
        }
        const expiresAt = Math.max(exp, later)
        // With the first key from now on, so the fingerprint is made anew too.
        const fp = SessionToken.fingerprint(keys[0], sid, proof)
        return { sid, user, expiresAt, renewed: SessionToken.sign(keys[0], { ...claims, exp: expiresAt, fp }) }
      }),
    start: (request, { proof, user }) =>
      Effect.gen(function*() {
        yield* end(request)
        const now = yield* Clock.currentTimeMillis
        const sid = v4()
        const exp = now + sessionTtl
        const fp = SessionToken.fingerprint(keys[0], sid, proof)
        const claims = { sid, user: user.name, access: user.access, iat: now, exp, fp }
        return { sid, user, expiresAt: exp, renewed: SessionToken.sign(keys[0], claims) }
      }),
    setCookie: (request, response, token) => {
      const secure = isSecure(request, settings)
      return HttpServerResponse.unsafeSetCookie(response, nameFor(request), token ?? "", {
        httpOnly: true,
        sameSite: "lax",
        path: secure ? "/" : mount,
        secure,
        maxAge: token === null ? 0 : sessionTtl
      })
    }
  }
}
