/**
 * Session tokens: `v1.<claims>.<MAC>`, claims as JSON in base64url, MAC as HMAC-SHA-256 over everything before it.
 *
 * There is one algorithm and one version, so nothing in a token can choose another. Nothing of the claims is read before
 * the MAC was found right.
 */
import { createHmac, timingSafeEqual } from "node:crypto"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { type Access, permissions } from "../TaskUser.js"

const Claims = Schema.Struct({
  /** Of the login: stays through renewals, and is what a logout revokes. */
  sid: Schema.UUID,
  user: Schema.String,
  access: Schema.Union(Schema.Literal("viewer", "operator"), Schema.Array(Schema.Literal(...permissions))),
  /** The login and the end, epoch milliseconds. */
  iat: Schema.Int,
  exp: Schema.Int,
  /** A MAC of what the session stands or falls with: the stored password. */
  fp: Schema.String
})

export interface Claims {
  readonly sid: string
  readonly user: string
  readonly access: Access
  readonly iat: number
  readonly exp: number
  readonly fp: string
}

/** Both keys come from one secret and belong to one mount: what is signed for another is not valid here. */
export interface Key {
  readonly session: Buffer
  readonly credential: Buffer
}

const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest()

export const keyOf = (secret: string, mount: string): Key => ({
  session: hmac(secret, `effect-taskflow session v1 ${mount}`),
  credential: hmac(secret, `effect-taskflow credential v1 ${mount}`)
})

const same = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

/** The fingerprint of a credential; of one session alone, so equal passwords do not show. */
export const fingerprint = (key: Key, sid: string, proof: string): string =>
  hmac(key.credential, `${sid} ${proof}`).toString("base64url")

export const isFingerprint = (key: Key, { fp, sid }: Claims) => (proof: string): boolean =>
  same(fingerprint(key, sid, proof), fp)

export const longest = 4_000
/** From the login, renewals included: 7 days. */
export const longestSession = 7 * 24 * 3_600_000
// Clocks of several instances differ a little.
const skew = 60_000

const macOf = (key: Key, signed: string): string => hmac(key.session, signed).toString("base64url")

export const sign = (key: Key, { access, exp, fp, iat, sid, user }: Claims): string => {
  const signed = `v1.${Buffer.from(JSON.stringify({ sid, user, access, iat, exp, fp })).toString("base64url")}`
  return `${signed}.${macOf(key, signed)}`
}

const decodeClaims = Schema.decodeUnknownOption(Schema.parseJson(Claims))

/** The claims with the key that signed them, if the token is whole, known and not over; whatever else it is: null. */
export const verify = (keys: ReadonlyArray<Key>, token: string, now: number): { claims: Claims; key: Key } | null => {
  if (token.length > longest) return null
  const parts = /^(v1\.([\w-]+))\.([\w-]{43})$/.exec(token)
  if (parts === null) return null
  const [, signed = "", claimed = "", mac = ""] = parts
  // As text, so that there is one spelling of a MAC; and with every key, whichever it is.
  const key = keys.filter((one) => same(macOf(one, signed), mac))[0]
  if (key === undefined) return null
  const claims = decodeClaims(Buffer.from(claimed, "base64url").toString("utf8"))
  if (Option.isNone(claims)) return null
  const { exp, iat } = claims.value
  const valid = iat <= now + skew && exp > now && exp > iat && exp <= iat + longestSession
  return valid ? { claims: claims.value, key } : null
}
