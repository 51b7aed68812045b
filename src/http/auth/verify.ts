/**
 * The check of a password, for the login and for HTTP Basic alike: throttled, bounded, and for programs that send their
 * password with every request done once in a while only.
 */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import type { PasswordAuth } from "../TaskAuth.js"
import { TooManyAttempts } from "./AuthProblem.js"
import type { GuardSettings } from "./GuardOptions.js"
import { checkedUser, TaskAuthUnavailable } from "./known.js"
import { addressOf } from "./origin.js"
import { type Account, type Credentials, digestOf, maxNameLength } from "./passwords.js"
import type { Throttle } from "./throttle.js"

type Request = HttpServerRequest.HttpServerRequest
type Failure = TaskAuthUnavailable | TooManyAttempts

export interface Verify {
  /** The account of who wants to log in. */
  readonly login: (request: Request, credentials: Credentials) => Effect.Effect<Account | null, Failure>
  /** The account of the Authorization header; null without one, and for a wrong one. */
  readonly basic: (request: Request) => Effect.Effect<Account | null, Failure>
}

// What a password of HTTP Basic came to holds for this long: a right one need not be computed for every request, and the
// same wrong one again is no further guess. What is kept is a digest under a key of this process.
const knownFor = 300_000
const knownAtMost = 1_000
// Checks that run or wait at the same time.
const pendingAtMost = 32

const tooMany = (milliseconds: number) =>
  new TooManyAttempts({
    message: "too many attempts: wait before the next",
    retryAfter: Math.max(1, Math.ceil(milliseconds / 1_000))
  })

const utf8 = new TextDecoder("utf-8", { fatal: true })

/** What an Authorization header of HTTP Basic says. */
export const basicOf = ({ headers }: Request): Credentials | null => {
  const given = /^basic +(\S+) *$/i.exec(headers["authorization"] ?? "")?.[1]
  const text = given === undefined ? null : Either.getOrNull(
    Either.flatMap(Encoding.decodeBase64(given), (bytes) => Either.try(() => utf8.decode(bytes)))
  )
  const colon = text?.indexOf(":") ?? -1
  return text === null || colon < 0
    ? null
    : { username: text.slice(0, colon), password: Redacted.make(text.slice(colon + 1)) }
}

export const make = (passwords: PasswordAuth, throttle: Throttle, settings: GuardSettings): Verify => {
  let pending = 0
  // What was right once is no guess: whoever guesses from everywhere must not keep those out who know.
  const proven = new Set<string>()
  const results = new Map<string, { readonly account: Account | null; readonly until: number }>()
  const under = new Map<string, Deferred.Deferred<Account | null, Failure>>()

  const check = (request: Request, credentials: Credentials, via: "basic" | "login", proven = false) =>
    Effect.gen(function*() {
      const { username } = credentials
      const address = addressOf(request, settings)
      if (pending >= pendingAtMost) return yield* tooMany(1_000)
      const wait = proven ? 0 : yield* throttle.begin(username, address)
      if (wait > 0) return yield* tooMany(wait)
      // Nobody's name, but a try: each leaves an entry in the audit trail.
      if (username.length > maxNameLength) return null
      pending += 1
      const account = yield* Effect.suspend(() => passwords.check(credentials, via)).pipe(
        Effect.catchAllDefect((cause) => new TaskAuthUnavailable({ cause })),
        Effect.ensuring(Effect.sync(() => {
          pending -= 1
        }))
      )
      if (account === null) {
        // Without the name: people type passwords where names belong.
        if ((yield* throttle.blocked(username, address)) > 0) {
          yield* Effect.logWarning("TaskHttp: wrong passwords again, so the next try has to wait").pipe(
            Effect.annotateLogs("address", address)
          )
        }
        return null
      }
      yield* checkedUser(account.user)
      if (!proven) yield* throttle.succeeded(username, address)
      return account
    })

  const digest = ({ password, username }: Credentials, address: string | null) =>
    digestOf(JSON.stringify([username, Redacted.value(password), address])).toString("base64")

  const basic = (request: Request, credentials: Credentials) =>
    Effect.gen(function*() {
      const address = addressOf(request, settings)
      const key = digest(credentials, address)
      const now = yield* Clock.currentTimeMillis
      // Before the look at what is known: that must not be a way to guess on while one has to wait.
      const wait = yield* throttle.blocked(credentials.username, address)
      if (wait > 0) return yield* tooMany(wait)
      const known = results.get(key)
      if (known !== undefined && known.until > now) return known.account
      results.delete(key)
      // The same password at the same time is one try.
      const running = under.get(key)
      if (running !== undefined) return yield* Deferred.await(running)
      const deferred = yield* Deferred.make<Account | null, Failure>()
      under.set(key, deferred)
      // Taken away, so that it is a guess again if it is not right any more.
      const wasProven = proven.delete(key)
      return yield* check(request, credentials, "basic", wasProven).pipe(
        Effect.tap((account) =>
          Effect.sync(() => {
            results.set(key, { account, until: now + knownFor })
            if (results.size > knownAtMost) results.delete(results.keys().next().value!)
            if (account !== null) proven.add(key)
            if (proven.size > knownAtMost) proven.delete(proven.values().next().value!)
          })
        ),
        Effect.onExit((exit) => {
          under.delete(key)
          if (wasProven && Exit.isFailure(exit)) proven.add(key)
          return Deferred.done(deferred, exit)
        })
      )
    })

  return {
    login: (request, credentials) => check(request, credentials, "login"),
    basic: (request) => {
      const credentials = passwords.basic ? basicOf(request) : null
      return credentials === null ? Effect.succeed(null) : Effect.uninterruptible(basic(request, credentials))
    }
  }
}
