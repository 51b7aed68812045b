import { createHmac } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as SessionToken from "../../src/http/auth/sessionToken.js"

const key = SessionToken.keyOf("k".repeat(32), "/tasks")
const other = SessionToken.keyOf("o".repeat(32), "/tasks")
const hour = 3_600_000
const now = 1_000 * hour
const claims: SessionToken.Claims = {
  sid: "5f0c6a3e-3b5a-4f0e-9a43-9a7d1d1b2c3d",
  user: "ada",
  access: "operator",
  iat: now - hour,
  exp: now + hour,
  fp: "fingerprint"
}
const token = SessionToken.sign(key, claims)
const [version, payload, mac] = token.split(".") as [string, string, string]

const encode = (text: string | Buffer) => Buffer.from(text).toString("base64url")
const json = (value: unknown) => encode(JSON.stringify(value))
/** A right MAC over whatever it is: what only who has the key can make. */
const signed = (text: string, using = key) =>
  `${text}.${createHmac("sha256", using.session).update(text).digest("base64url")}`
const valid = (text: string, keys = [key], at = now) => SessionToken.verify(keys, text, at) !== null

describe("a token", () => {
  it("that was signed is read back, and shows nothing but its claims", () => {
    expect(SessionToken.verify([key], token, now)).toEqual({ claims, key })
    expect(JSON.parse(Buffer.from(payload, "base64url").toString())).toEqual(claims)
    expect(version).toBe("v1")
    const listed: SessionToken.Claims = { ...claims, access: ["retry", "audit"] }
    expect(SessionToken.verify([key], SessionToken.sign(key, listed), now)?.claims).toEqual(listed)
  })

  const forged: Readonly<Record<string, string>> = {
    "is empty": "",
    "is only dots": "..",
    "is cut at its end": token.slice(0, -1),
    "is cut in the middle": `${version}.${payload.slice(0, 40)}`,
    "has no MAC": `${version}.${payload}`,
    "has an empty MAC": `${version}.${payload}.`,
    "has another MAC": `${version}.${payload}.${"A".repeat(43)}`,
    "has its MAC spelled otherwise": token.slice(0, -1)
      + String.fromCharCode(token.charCodeAt(token.length - 1) + 1),
    "has its MAC in base64": `${version}.${payload}.${Buffer.from(mac, "base64url").toString("base64")}`,
    "has its MAC in hex": `${version}.${payload}.${Buffer.from(mac, "base64url").toString("hex")}`,
    "has its parts in another order": `${version}.${mac}.${payload}`,
    "has its version at the end": `${payload}.${mac}.${version}`,
    "has a part more": `${token}.${mac}`,
    "has a part twice": `${version}.${payload}.${payload}.${mac}`,
    "has other claims under the MAC": `${version}.${json({ ...claims, user: "root" })}.${mac}`,
    "has the MAC of another session": `${version}.${payload}.${
      SessionToken.sign(key, { ...claims, user: "eve" }).split(".")[2]
    }`,
    "has another version": `v2.${payload}.${mac}`,
    "has another version, signed": signed(`v2.${payload}`),
    "is a JWT that says alg none": `${json({ alg: "none", typ: "JWT" })}.${payload}.`,
    "is a JWT with our MAC": signed(`${json({ alg: "HS256", typ: "JWT" })}.${payload}`),
    "says its algorithm in the claims": `${version}.${json({ ...claims, alg: "none" })}.`,
    "is signed with another key": SessionToken.sign(other, claims),
    "is signed for another mount": SessionToken.sign(SessionToken.keyOf("k".repeat(32), "/ops"), claims),
    "is signed with the key of fingerprints": signed(`v1.${payload}`, { ...key, session: key.credential }),
    "is signed with the secret itself": signed(`v1.${payload}`, { ...key, session: Buffer.from("k".repeat(32)) }),
    "is signed with nothing": signed(`v1.${payload}`, { ...key, session: Buffer.alloc(0) }),
    "has space around it": ` ${token} `,
    "has a line after it": `${token}\n`,
    "has padding": `${token}=`,
    "is no base64": signed("v1.!!!!"),
    "is no Unicode": signed(`v1.${encode(Buffer.from([0xff, 0xfe, 0x80]))}`),
    "is too long": signed(`v1.${json({ ...claims, user: "a".repeat(4_000) })}`),
    "is very long": "v1.".concat("a".repeat(1_000_000)),
    "is over": SessionToken.sign(key, { ...claims, exp: now }),
    "is long over": SessionToken.sign(key, { ...claims, iat: 0, exp: hour }),
    "is of the future": SessionToken.sign(key, { ...claims, iat: now + 2 * 60_000, exp: now + hour }),
    "lasts longer than any": SessionToken.sign(key, { ...claims, exp: claims.iat + SessionToken.longestSession + 1 }),
    "ends before it begins": SessionToken.sign(key, { ...claims, iat: now + 50_000, exp: now + 40_000 }),
    "has claims that are no JSON": signed(`v1.${encode("{")}`),
    "has claims that are null": signed(`v1.${json(null)}`),
    "has claims that are a list": signed(`v1.${json([claims])}`),
    "lacks a session id": signed(`v1.${json({ ...claims, sid: undefined })}`),
    "has a session id that is none": signed(`v1.${json({ ...claims, sid: "x" })}`),
    "has a time that is text": signed(`v1.${json({ ...claims, exp: `${claims.exp}` })}`),
    "has a time that is a fraction": signed(`v1.${json({ ...claims, exp: claims.exp + 0.5 })}`),
    "has a time that is no number": signed(`v1.${encode(JSON.stringify(claims).replace(`${claims.exp}`, "1e999"))}`),
    "has an access that is none": signed(`v1.${json({ ...claims, access: "root" })}`),
    "has a user that is none": signed(`v1.${json({ ...claims, user: { name: "ada" } })}`)
  }

  it.each(Object.entries(forged))("that %s is none", (_, text) => {
    expect(valid(token)).toBe(true)
    expect(valid(text)).toBe(false)
  })

  it("with any one character changed is none", () => {
    for (let index = 0; index < token.length; index++) {
      const changed = `${token.slice(0, index)}${token[index] === "A" ? "B" : "A"}${token.slice(index + 1)}`
      expect(valid(changed), `${index}`).toBe(false)
    }
  })

  it("is known by any of several keys, and says which", () => {
    expect(SessionToken.verify([other, key], token, now)?.key).toBe(key)
    expect(valid(token, [other])).toBe(false)
    expect(valid(token, [])).toBe(false)
  })

  it("of a clock that is a little ahead is valid", () => {
    expect(valid(SessionToken.sign(key, { ...claims, iat: now + 30_000 }))).toBe(true)
  })
})

describe("a fingerprint", () => {
  it("is of one credential, one session and one key", () => {
    const fp = SessionToken.fingerprint(key, claims.sid, "scrypt$…")
    expect(SessionToken.isFingerprint(key, { ...claims, fp })("scrypt$…")).toBe(true)
    expect(SessionToken.isFingerprint(key, { ...claims, fp })("scrypt$other")).toBe(false)
    expect(SessionToken.isFingerprint(other, { ...claims, fp })("scrypt$…")).toBe(false)
    expect(SessionToken.isFingerprint(key, { ...claims, fp: "" })("scrypt$…")).toBe(false)
    expect(SessionToken.fingerprint(key, "another", "scrypt$…")).not.toBe(fp)
  })
})
