/**
 * Who may pass. Given to `TaskHttp`, which asks before every route; there is no default, so nothing is open by oversight.
 *
 * Each way to know a caller is a value: `users`, `basic`, `bearer`, `authorize`, `make`, `open`; `any` joins several.
 */
import { timingSafeEqual } from "node:crypto"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { isRedirect, type Redirect, type TaskAuthUnavailable } from "./auth/known.js"
import * as PasswordHash from "./auth/passwordHash.js"
import * as Passwords from "./auth/passwords.js"
import type { Access, TaskUser } from "./TaskUser.js"

type Request = HttpServerRequest.HttpServerRequest
export { type Redirect, redirect, TaskAuthUnavailable } from "./auth/known.js"
export type { PasswordHash } from "./auth/passwordHash.js"
export type { Account, Credentials, UserOptions } from "./auth/passwords.js"
export type { Access, Permission, TaskUser } from "./TaskUser.js"

/** Names and passwords, for the login and, with `basic`, for HTTP Basic. */
export interface PasswordAuth {
  /** Whether they are taken from HTTP Basic too, not from the login alone. */
  readonly basic: boolean
  /** The account, if the password is right; null for an unknown user as for a wrong password. */
  readonly check: (
    credentials: Passwords.Credentials,
    via: "basic" | "login"
  ) => Effect.Effect<Passwords.Account | null, TaskAuthUnavailable>
  /** Asked for every request of a session: the user as they are now, or null when the session must end. */
  readonly confirm: (
    user: TaskUser,
    isProof: (proof: string) => boolean
  ) => Effect.Effect<TaskUser | null, TaskAuthUnavailable>
}

/** A way to know who asks. Made by the functions of this module. */
export interface TaskAuth {
  /** Who sent the request; null for nobody known. Sessions and passwords are not asked for here. */
  readonly authenticate: (request: Request) => Effect.Effect<TaskUser | Redirect | null, TaskAuthUnavailable>
  /** Null when there is no login. */
  readonly passwords: PasswordAuth | null
  /** Sent as `WWW-Authenticate` with a refusal; null for none. */
  readonly challenge: string | null
  /** Whether everybody passes. */
  readonly open: boolean
}

const nobody = { authenticate: () => Effect.succeed(null), passwords: null, challenge: null, open: false } as const

/** Everybody may pass, and do everything, as `anonymous`: for servers that nobody else reaches. A warning says so at start. */
export const open: TaskAuth = {
  ...nobody,
  authenticate: () => Effect.succeed({ name: "anonymous", access: "operator" }),
  open: true
}

const basicChallenge = `Basic realm="tasks", charset="UTF-8"`

const ofKnown = ({ check, find }: Passwords.KnownUsers): TaskAuth => ({
  ...nobody,
  challenge: basicChallenge,
  passwords: {
    basic: true,
    check,
    confirm: ({ access, name }, isProof) =>
      Effect.sync(() => {
        const account = find(name)
        // Also for unknown users, so that all take the same time.
        const same = isProof(account?.proof ?? "")
        return account !== null && same && sameAccess(account.user.access, access) ? account.user : null
      })
  }
})

const sameAccess = (a: Access, b: Access): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Who may log in. */
export interface UsersOptions {
  /** At least one, each name once. */
  readonly users: ReadonlyArray<Passwords.UserOptions>
}

/**
 * Users with passwords: people log in and get a session, programs send HTTP Basic. Use it over HTTPS.
 *
 * Throws a `TaskflowWiringError` for an empty or doubled username, an empty password and a text that is no hash.
 */
export const users = ({ users }: UsersOptions): TaskAuth =>
  ofKnown(Passwords.make("TaskAuth.users", users.map((user, index) => [`users[${index}].`, user] as const)))

/** The one user. */
export interface BasicOptions {
  /** Without a colon, which HTTP Basic uses to separate it from the password. */
  readonly username: string
  /** The password itself. At most 1,024 bytes of UTF-8. */
  readonly password: Redacted.Redacted
}

/** `users` with one user, who may do everything. */
export const basic = ({ password, username }: BasicOptions): TaskAuth =>
  ofKnown(Passwords.make("TaskAuth.basic", [["", { username, password }]]))

/** A hash for `users`, with a salt of its own. Takes about 0.2 s and 32 MiB. At most 1,024 bytes of UTF-8, else it dies. */
export const hashPassword = (password: string | Redacted.Redacted): Effect.Effect<PasswordHash.PasswordHash> =>
  Effect.suspend(() => {
    const text = Redacted.isRedacted(password) ? Redacted.value(password) : password
    if (text !== "" && PasswordHash.isPossible(text)) return PasswordHash.make(text)
    return Effect.sync(() =>
      Passwords.wiring(
        "TaskAuth.hashPassword",
        `the password is empty, longer than ${PasswordHash.maxPasswordBytes} bytes, or no Unicode text`
      )
    )
  })

/** A token, whose it is, and what it allows. */
export interface TokenOptions {
  /** As the audit trail names who uses it. */
  readonly name: string
  /** At least 16 characters of ASCII without spaces. */
  readonly token: Redacted.Redacted
  /** `viewer`, `operator`, or exactly the permissions that are listed. */
  readonly access: Access
}

/** The tokens that are accepted. */
export interface BearerOptions {
  /** At least one, each name and token once. */
  readonly tokens: ReadonlyArray<TokenOptions>
}

/**
 * `Authorization: Bearer …` for programs. Each request is compared with all tokens, in constant time. Throws a
 * `TaskflowWiringError` for a short, odd or doubled token or name.
 */
export const bearer = ({ tokens }: BearerOptions): TaskAuth => {
  const refuse = (message: string): never => Passwords.wiring("TaskAuth.bearer", message)
  if (tokens.length === 0) refuse("tokens is empty, so nobody could pass")
  const known = tokens.map(({ access, name, token }, index) => {
    const text = Redacted.value(token)
    if (name === "" || name.length > Passwords.maxNameLength) refuse(`tokens[${index}].name is empty or too long`)
    if (!/^[\x21-\x7e]{16,4096}$/.test(text)) {
      refuse(`tokens[${index}].token is no text of 16 to 4,096 ASCII characters without spaces`)
    }
    Passwords.checkAccess("TaskAuth.bearer", `tokens[${index}].access`, access)
    return { user: { name, access }, digest: Passwords.digestOf(text) }
  })
  known.forEach(({ digest, user }, index) => {
    const twin = known.findIndex((other) => other.user.name === user.name || other.digest.equals(digest))
    if (twin < index) refuse(`tokens[${index}] has the name or the token of tokens[${twin}]`)
  })
  return {
    ...nobody,
    challenge: `Bearer realm="tasks"`,
    authenticate: ({ headers }) =>
      Effect.sync(() => {
        const given = /^bearer +(\S+) *$/i.exec(headers["authorization"] ?? "")?.[1]
        if (given === undefined) return null
        const digest = Passwords.digestOf(given)
        // Not `find`: that would end at the first that fits.
        return known.filter((one) => timingSafeEqual(one.digest, digest))[0]?.user ?? null
      })
  }
}

/**
 * For applications that know who is logged in: called for every request. Answers the user, null for nobody, or `redirect(…)`
 * to where they can log in. A defect is answered with 503.
 */
export const authorize = (
  who: (request: Request) => Effect.Effect<TaskUser | Redirect | null, TaskAuthUnavailable>
): TaskAuth => ({ ...nobody, authenticate: who })

/** How an application knows who asks. */
export interface MakeOptions {
  /** Who sent the request. Called for every request that no session answers for. */
  readonly authenticate: (request: Request) => Effect.Effect<TaskUser | null, TaskAuthUnavailable>
  /** Gives people a login: the user, if the password is right. Tries are throttled. Default: no login. */
  readonly login?:
    | ((credentials: Passwords.Credentials) => Effect.Effect<TaskUser | null, TaskAuthUnavailable>)
    | undefined
  /**
   * The user of this name as they are now, null when there is none (any more), asked for every request of a session.
   * Without it a session keeps what `login` answered until it ends.
   */
  readonly find?: ((name: string) => Effect.Effect<TaskUser | null, TaskAuthUnavailable>) | undefined
  /** Sent as `WWW-Authenticate` with a refusal. Default none. */
  readonly challenge?: string | undefined
}

/** A check of your own. When it fails or dies the answer is 503, and nobody passes. */
export const make = ({ authenticate, challenge, find, login }: MakeOptions): TaskAuth => ({
  authenticate,
  challenge: challenge ?? null,
  open: false,
  passwords: login === undefined ? null : {
    basic: false,
    check: (credentials) => Effect.map(login(credentials), (user) => user === null ? null : { user, proof: "" }),
    confirm: (user, isProof) =>
      !isProof("")
        ? Effect.succeed(null)
        : find === undefined
        ? Effect.succeed(user)
        : Effect.map(find(user.name), (now) => now !== null && sameAccess(now.access, user.access) ? now : null)
  }
})

const firstOf = <A, E>(effects: ReadonlyArray<Effect.Effect<A | null, E>>): Effect.Effect<A | null, E> =>
  Effect.reduce(effects, null as A | null, (found, effect) => found === null ? effect : Effect.succeed(found))

/**
 * The first that knows the caller. When one of them cannot tell, the answer is 503, even if a later one knew. Throws a
 * `TaskflowWiringError` for `open`, which would make the others pointless.
 */
export const any = (...auths: readonly [TaskAuth, TaskAuth, ...ReadonlyArray<TaskAuth>]): TaskAuth => {
  if (auths.some(({ open }) => open)) Passwords.wiring("TaskAuth.any", "open among others lets everybody pass")
  const passwords = auths.flatMap((auth) => auth.passwords ?? [])
  const challenges = auths.flatMap(({ challenge }) => challenge ?? [])
  return {
    open: false,
    challenge: challenges.length === 0 ? null : [...new Set(challenges)].join(", "),
    authenticate: (request) =>
      Effect.gen(function*() {
        let away: Redirect | null = null
        for (const auth of auths) {
          const known = yield* auth.authenticate(request)
          if (known !== null && !isRedirect(known)) return known
          away ??= known
        }
        return away
      }),
    passwords: passwords.length === 0 ? null : {
      basic: passwords.some(({ basic }) => basic),
      check: (credentials, via) =>
        firstOf(passwords.flatMap(({ basic, check }) => via === "login" || basic ? [check(credentials, via)] : [])),
      confirm: (user, isProof) => firstOf(passwords.map(({ confirm }) => confirm(user, isProof)))
    }
  }
}
