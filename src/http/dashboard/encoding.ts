/** What a request says about encodings and about what it has already. Pure. */
import type { Asset } from "./assets.js"

const qualityOf = (accepted: string, name: string): number => {
  for (const part of accepted.split(",")) {
    const [coding = "", ...parameters] = part.split(";").map((one) => one.trim().toLowerCase())
    if (coding !== name) continue
    const quality = parameters.find((one) => one.startsWith("q="))
    return quality === undefined ? 1 : Number(quality.slice(2)) || 0
  }
  return 0
}

export interface Encoded {
  readonly bytes: Uint8Array
  readonly encoding: "br" | "gzip" | null
}

/** The smallest form of a file that the client takes. */
export const best = (accepted: string | undefined, { br, gzip, plain }: Asset): Encoded => {
  const header = accepted ?? ""
  if (br !== null && qualityOf(header, "br") > 0) return { bytes: br, encoding: "br" }
  if (gzip !== null && qualityOf(header, "gzip") > 0) return { bytes: gzip, encoding: "gzip" }
  return { bytes: plain, encoding: null }
}

/** Whether a header such as `If-None-Match` names this tag. Tags that were made weak on the way count too. */
export const names = (header: string | undefined, etag: string): boolean =>
  header !== undefined && header.split(",").some((one) => {
    const tag = one.trim().replace(/^W\//, "")
    return tag === "*" || tag === etag
  })
