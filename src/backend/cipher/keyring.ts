/**
 * The keys of an application, and what is done with them: AES-256-GCM of `node:crypto`, HMAC-SHA256 for what has to stay
 * comparable.
 *
 * Each owner of values (a task, a group of errors, a schedule, an entry of the audit trail) has a key of its own, derived from the application's. So
 * random nonces meet only those of one owner, and a key lasts as long as its owner likes; and what is copied to another
 * owner does not decrypt there. What is copied to another field of the same owner does not either: the field is
 * authenticated.
 */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto"
import * as Sealed from "../../internal/sealed.js"

/** Whose value it is. */
export type Owner = readonly [kind: "task" | "error" | "schedule" | "audit", id: string]

/** 32 bytes each. */
export interface KeyMaterial {
  readonly id: string
  readonly key: Uint8Array
}

export interface Keyring {
  /** The id of the key that encrypts. */
  readonly current: string
  /** Text that only `open` with the same owner and field reads. Any strings, also those with halves of surrogates. */
  readonly seal: (owner: Owner, field: string, values: ReadonlyArray<string | null>) => string
  /** The values; null when the key is not here, or anything is not as it was when it was encrypted. */
  readonly open: (owner: Owner, field: string, text: string) => ReadonlyArray<string | null> | null
  /** 43 characters of base64url: the same for the same parts as long as the hash key stays, and nothing to others. */
  readonly digest: (kind: "key" | "fingerprint" | "definition", ...parts: ReadonlyArray<string>) => string
}

const nonceBytes = 12
const tagBytes = 16
const rememberedKeys = 1_000

const derive = (key: Uint8Array, use: "encrypt" | "hash"): Buffer =>
  Buffer.from(hkdfSync("sha256", key, "", `effect-taskflow/1/${use}`, 32))

/** The derived key of an owner; the latest ones are remembered, since a task has several values in a row. */
const ownersKeys = (key: Uint8Array) => {
  const encryptKey = derive(key, "encrypt")
  const known = new Map<string, Buffer>()
  return (owner: string): Buffer => {
    let found = known.get(owner)
    if (found === undefined) {
      found = createHmac("sha256", encryptKey).update(owner).digest()
      if (known.size >= rememberedKeys) known.delete(known.keys().next().value!)
      known.set(owner, found)
    }
    return found
  }
}

/** The first key encrypts, all decrypt. `hashKey` is for digests alone. */
export const make = (keys: readonly [KeyMaterial, ...ReadonlyArray<KeyMaterial>], hashKey: Uint8Array): Keyring => {
  const byId = new Map(keys.map(({ id, key }) => [id, ownersKeys(key)]))
  const current = keys[0].id
  const currentKey = byId.get(current)!
  const forDigests = derive(hashKey, "hash")

  const boundTo = (keyId: string, owner: string, field: string): Buffer =>
    Buffer.from(JSON.stringify(["enc1", keyId, owner, field]))

  return {
    current,
    seal: (owner, field, values) => {
      const ownerText = JSON.stringify(owner)
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv("aes-256-gcm", currentKey(ownerText), nonce)
      cipher.setAAD(boundTo(current, ownerText, field))
      const body = cipher.update(JSON.stringify(values), "utf8")
      return Sealed.textOf(current, Buffer.concat([nonce, body, cipher.final(), cipher.getAuthTag()]))
    },
    open: (owner, field, text) => {
      const keyId = Sealed.keyIdOf(text)
      const keyOf = keyId === null ? undefined : byId.get(keyId)
      if (keyId === null || keyOf === undefined) return null
      const ownerText = JSON.stringify(owner)
      const bytes = Sealed.bytesOf(text)
      try {
        const nonce = bytes.subarray(0, nonceBytes)
        const cipher = createDecipheriv("aes-256-gcm", keyOf(ownerText), nonce, { authTagLength: tagBytes })
        cipher.setAAD(boundTo(keyId, ownerText, field))
        cipher.setAuthTag(bytes.subarray(bytes.length - tagBytes))
        const plain = Buffer.concat([
          cipher.update(bytes.subarray(nonceBytes, bytes.length - tagBytes)),
          cipher.final()
        ])
        // safe: authenticated, so it is what `seal` wrote
        return JSON.parse(plain.toString("utf8")) as ReadonlyArray<string | null>
      } catch {
        return null
      }
    },
    digest: (kind, ...parts) =>
      createHmac("sha256", forDigests).update(JSON.stringify([kind, ...parts])).digest("base64url")
  }
}
