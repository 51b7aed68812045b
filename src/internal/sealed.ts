/**
 * What text looks like that was encrypted: read by those who show records, whether or not they have the key. Pure.
 *
 * `enc1.<key id>.<base64url>`. JSON never begins so, so in payloads, results and the like nothing else can be meant.
 */

/** What is shown in place of what cannot be decrypted here. */
export const placeholder = "<encrypted>"

const begin = "enc1."

// Nonce and tag alone are 28 bytes, 38 characters.
const form = /^enc1\.([A-Za-z0-9_-]{1,64})\.[A-Za-z0-9_-]{38,}$/

/** The text of these bytes, encrypted with this key. */
export const textOf = (keyId: string, bytes: Buffer): string => `${begin}${keyId}.${bytes.toString("base64url")}`

/** The id of the key it was encrypted with; null for what is not encrypted. */
export const keyIdOf = (text: string): string | null => text.startsWith(begin) ? form.exec(text)?.[1] ?? null : null

/** Text that looks encrypted. */
export type SealedText = string & { readonly _: unique symbol }

export const isSealed = (text: string | null): text is SealedText => text !== null && keyIdOf(text) !== null

/** The bytes of an encrypted text. */
export const bytesOf = (text: string): Buffer =>
  Buffer.from(text.slice(text.indexOf(".", begin.length) + 1), "base64url")

/** The text, or the placeholder where it is encrypted. */
export const shown = (text: string): string => isSealed(text) ? placeholder : text
