/**
 * Users with passwords, known when the application starts. Which user it is, and whether there is one, cannot be found out
 * by the time an answer takes: the same is computed for each.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { TaskflowWiringError } from "../../TaskError.js"
import { type Access, permissions, type TaskUser } from "../TaskUser.js"
import * as PasswordHash from "./passwordHash.js"

/** A name and a password as somebody gave them. */
export interface Credentials {
  readonly username: string
  readonly password: Redacted.Redacted
}

/** A user with what their sessions stand and fall with. It is a secret: only a MAC of it leaves the process. */
export interface Account {
  readonly user: TaskUser
  readonly proof: string
}

/** A user, and what proves that it is them. */
export interface UserOptions {
  /** 1 to 200 characters, without a colon, which HTTP Basic uses to separate it from the password. */
  readonly username: string
  /** A hash, as made by `TaskAuth.hashPassword`, or the password itself. In `Redacted` it may be either. */
  readonly password: Redacted.Redacted | PasswordHash.PasswordHash
  /** Default "operator". */
  readonly access?: Access | undefined
}

interface Entry extends Account {
  readonly hashed: PasswordHash.Hashed | null
  /** Of a password that was given as it is. */
  readonly digest: Buffer | null
}

export const maxNameLength = 200

// Digests are of one process alone, so nothing can be compared with them elsewhere.
const processKey = randomBytes(32)
export const digestOf = (bytes: string | Uint8Array): Buffer => createHmac("sha256", processKey).update(bytes).digest()
const noDigest = digestOf(randomBytes(32))

/** Fails the build, naming the option and never its secret. */
export const wiring = (what: string, message: string): never => {
  throw new TaskflowWiringError({ message: `${what}: ${message}` })
}

export const isAccess = (access: unknown): access is Access =>
  access === "viewer" || access === "operator"
  || (Array.isArray(access) && access.every((one) => (permissions as ReadonlyArray<unknown>).includes(one)))

export const checkAccess = (what: string, option: string, access: unknown): void => {
  if (!isAccess(access)) {
    wiring(what, `${option} is neither "viewer" nor "operator" nor a list of ${permissions.join(", ")}`)
  }
}

const entryOf = (what: string, at: string, { access = "operator", password, username }: UserOptions): Entry => {
  const user = { name: username, access }
  if (
    typeof username !== "string" || username === "" || username.length > maxNameLength || /[:\p{Cc}]/u.test(username)
  ) {
    return wiring(what, `${at}username is empty, longer than ${maxNameLength}, or has a colon or a control character`)
  }
  checkAccess(what, `${at}access`, access)
  const secret = Redacted.isRedacted(password) ? Redacted.value(password) : password
  if (typeof secret !== "string" || secret === "") return wiring(what, `${at}password is empty`)
  if (!secret.startsWith("scrypt$")) {
    if (!Redacted.isRedacted(password)) {
      return wiring(
        what,
        `${at}password is neither a hash nor Redacted: give TaskAuth.hashPassword(…) or Redacted.make(…)`
      )
    }
    if (!PasswordHash.isPossible(secret)) {
      return wiring(what, `${at}password is longer than ${PasswordHash.maxPasswordBytes} bytes or no Unicode text`)
    }
    return { user, proof: secret, hashed: null, digest: digestOf(PasswordHash.bytesOf(secret)) }
  }
  return Either.match(PasswordHash.parse(secret), {
    onLeft: (problem) => wiring(what, `${at}password ${problem}`),
    onRight: (hashed) => ({ user, proof: secret, hashed, digest: null })
  })
}

export interface KnownUsers {
  /** The account, if the password is theirs. */
  readonly check: (credentials: Credentials) => Effect.Effect<Account | null>
  readonly find: (name: string) => Account | null
}

/**
 * When any of the users has a hash, every check computes one: of the user's own parameters, and for users without one, of
 * the most costly among them. `what` is named in wiring errors.
 */
export const make = (
  what: string,
  users: ReadonlyArray<readonly [at: string, user: UserOptions]>,
  derive: PasswordHash.Derive = PasswordHash.derive
): KnownUsers => {
  const entries = new Map<string, Entry>()
  for (const [at, options] of users) {
    const entry = entryOf(what, at, options)
    if (entries.has(entry.user.name)) wiring(what, `${at}username is there twice: ${JSON.stringify(entry.user.name)}`)
    entries.set(entry.user.name, entry)
  }
  if (entries.size === 0) wiring(what, "users is empty, so nobody could pass")
  const costs = [...entries.values()].flatMap(({ hashed }) => hashed === null ? [] : [hashed.cost])
  const dearest = costs.sort((a, b) => PasswordHash.workOf(b) - PasswordHash.workOf(a))[0]
  const nobody = dearest === undefined ? null : PasswordHash.unknowable(dearest)
  return {
    find: (name) => entries.get(name) ?? null,
    check: ({ password, username }) =>
      Effect.gen(function*() {
        const given = Redacted.value(password)
        if (!PasswordHash.isPossible(given)) return null
        const entry = entries.get(username)
        const hashed = entry?.hashed ?? nobody
        const key = hashed === null ? null : yield* derive(given, hashed)
        const hashFits = key !== null && hashed !== null && timingSafeEqual(key, hashed.key)
        const textFits = timingSafeEqual(digestOf(PasswordHash.bytesOf(given)), entry?.digest ?? noDigest)
        if (entry === undefined) return null
        return (entry.hashed === null ? textFits : hashFits) ? { user: entry.user, proof: entry.proof } : null
      })
  }
}
