/**
 * Password hashes: scrypt, as text `scrypt$N$r$p$salt$key` with salt and key in base64url.
 *
 * The cost is one of those that the OWASP Password Storage Cheat Sheet gives for scrypt: N=2^15, r=8, p=3, which takes
 * 32 MiB. Its first choice, N=2^17 and p=1, asks as much of an attacker, but takes 128 MiB of a server that has other work.
 */
import { randomBytes, scrypt } from "node:crypto"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"

/** What `hashPassword` makes. */
export type PasswordHash = `scrypt$${string}`

export interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

export interface Hashed {
  readonly cost: Cost
  readonly salt: Uint8Array
  readonly key: Uint8Array
}

export const defaultCost: Cost = { N: 2 ** 15, r: 8, p: 3 }

const keyBytes = 32

/** Longer passwords are refused before anything is computed. In bytes of UTF-8. */
export const maxPasswordBytes = 1_024

/** The bytes of a password: the same for every spelling of its characters. */
export const bytesOf = (password: string): Uint8Array => Buffer.from(password.normalize("NFC"), "utf8")

/** Whether the text can be a password at all. Half a surrogate pair has no bytes of its own. */
export const isPossible = (password: string): boolean =>
  password.length <= maxPasswordBytes && bytesOf(password).length <= maxPasswordBytes && !/\p{Cs}/u.test(password)

/** Computes the key of a password; counted and replaced in tests. */
export type Derive = (password: string, hashed: Pick<Hashed, "cost" | "salt">) => Effect.Effect<Uint8Array>

// Two, because Node has four threads for this, for files and for DNS together: logins must not stop those.
const atOnce = Effect.unsafeMakeSemaphore(2)

/** Waits for its turn. Not to be interrupted then: the thread goes on computing, and the next has to wait for it. */
export const inTurn = <A>(computation: Effect.Effect<A>): Effect.Effect<A> =>
  atOnce.withPermits(1)(Effect.uninterruptible(computation))

export const derive: Derive = (password, { cost: { N, p, r }, salt }) =>
  inTurn(Effect.async<Uint8Array>((resume) => {
    const options = { N, r, p, maxmem: 128 * N * r + 128 * r * p + 1_048_576 }
    scrypt(bytesOf(password), salt, keyBytes, options, (error, key) =>
      resume(error === null ? Effect.succeed(key) : Effect.die(error)))
  }))

const text = ({ cost: { N, p, r }, key, salt }: Hashed): PasswordHash =>
  `scrypt$${N}$${r}$${p}$${Encoding.encodeBase64Url(salt)}$${Encoding.encodeBase64Url(key)}`

/** A new hash with a salt of its own. */
export const make = (password: string, cost: Cost = defaultCost): Effect.Effect<PasswordHash> =>
  Effect.suspend(() => {
    const salt = randomBytes(16)
    return Effect.map(derive(password, { cost, salt }), (key) => text({ cost, salt, key }))
  })

/** A key that no password has, so that an unknown user costs what a known one does. */
export const unknowable = (cost: Cost): Hashed => ({ cost, salt: randomBytes(16), key: randomBytes(keyBytes) })

/** How much work a hash is. */
export const workOf = ({ N, p, r }: Cost): number => N * r * p

/**
 * Reads a hash, or says what is wrong with it. The cost is bounded, N from 2^12 to 2^18 and up to 256 MiB, so that no text
 * can exhaust the memory or occupy the threads for long.
 */
export const parse = (hash: string): Either.Either<Hashed, string> => {
  const parts = /^scrypt\$(\d{1,7})\$(\d{1,3})\$(\d{1,3})\$([\w-]{22,88})\$([\w-]{43})$/.exec(hash)
  if (parts === null) return Either.left("is no hash of the form scrypt$N$r$p$salt$key")
  const [N = 0, r = 0, p = 0] = parts.slice(1, 4).map(Number)
  const cost = { N, r, p }
  if (N < 2 ** 12 || N > 2 ** 18 || !Number.isInteger(Math.log2(N))) {
    return Either.left("has an N that is no power of two from 2^12 to 2^18")
  }
  if (r < 1 || r > 32 || p < 1 || p > 16) return Either.left("has an r outside of 1 to 32 or a p outside of 1 to 16")
  if (128 * N * r > 2 ** 28 || workOf(cost) > 2 ** 22) {
    return Either.left("takes more than 256 MiB, or more than 2^22 steps (N*r*p)")
  }
  const salt = Encoding.decodeBase64Url(parts[4]!)
  const key = Encoding.decodeBase64Url(parts[5]!)
  return Either.isRight(salt) && Either.isRight(key) && key.right.length === keyBytes
    ? Either.right({ cost, salt: salt.right, key: key.right })
    : Either.left("has a salt or a key that is no base64url")
}
