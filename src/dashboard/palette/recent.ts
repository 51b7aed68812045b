/** What was chosen lately, of this browser: ids of what the palette offers, the latest first. */
import { keep, kept } from "../settings.js"

const name = "palette"
const most = 8

const isTexts = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((one) => typeof one === "string")

export const recent = (): ReadonlyArray<string> => {
  try {
    const value: unknown = JSON.parse(kept(name) ?? "[]")
    return isTexts(value) ? value.slice(0, most) : []
  } catch {
    return []
  }
}

// A browser that keeps nothing offers nothing of it.
export const chose = (id: string): void =>
  void keep(name, JSON.stringify([id, ...recent().filter((one) => one !== id)].slice(0, most)))
