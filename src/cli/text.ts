/** Values and tables as text for people. Pure. */
import { iso } from "../http/TaskView.js"

// What moves the cursor, changes colours or the direction of writing. A task may be called anything.
const unprintable = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu

/** One line that a terminal shows and does nothing else with. */
export const line = (text: string): string => text.replace(/\s*\r?\n\s*/g, " ").replace(unprintable, "\ufffd")

/** The same for text of several lines. */
export const lines = (text: string): string =>
  text.split(/\r?\n/).map((one) => one.replace(unprintable, " ")).join("\n")

/** As `2026-11-27 23:31:06Z`. */
export const time = (millis: number): string => `${iso(millis).slice(0, 19).replace("T", " ")}Z`

/** As `340ms`, `1.2s`, `3m 5s`, `4h 2m`, `12d 3h`. */
export const span = (millis: number): string => {
  const seconds = Math.floor(millis / 1_000)
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3_600), Math.floor(seconds / 86_400)]
  if (millis < 1_000) return `${Math.round(millis)}ms`
  if (minutes < 1) return `${(millis / 1_000).toFixed(1)}s`
  if (hours < 1) return `${minutes}m ${seconds % 60}s`
  return days < 2 ? `${hours}h ${minutes % 60}m` : `${days}d ${hours % 24}h`
}

/** As `1 task`, `12,000 tasks`. */
export const many = (count: number, one: string, more = `${one}s`): string =>
  `${count.toLocaleString("en-US")} ${count === 1 ? one : more}`

const cut = (text: string, most: number): string =>
  text.length <= most ? text : most <= 1 ? text.slice(0, most) : `${text.slice(0, most - 1)}…`

/** Columns with a gap of two; the last one is cut to what is left of the width. */
export const table = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>,
  width: number | null
): string => {
  const all = [head, ...rows].map((row) => row.map(line))
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all.map((row) => {
    const text = row.map((cell, column) => column === row.length - 1 ? cell : cell.padEnd(widths[column]!)).join("  ")
    return width === null ? text.trimEnd() : cut(text, width).trimEnd()
  }).join("\n")
}

/** Names and values below each other. */
export const facts = (pairs: ReadonlyArray<readonly [name: string, value: string | null]>): string => {
  const known = pairs.filter(([, value]) => value !== null)
  const width = Math.max(0, ...known.map(([name]) => name.length))
  return known.map(([name, value]) => `${name.padEnd(width)}  ${line(value ?? "")}`).join("\n")
}

/** A value for programs. What JSON would leave as it is and a terminal would not is escaped: the value is the same. */
export const json = (value: unknown): string =>
  JSON.stringify(value, null, 2).replace(
    unprintable,
    (one) => one === "\n" ? one : `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** One word for a shell, whatever it says there. */
export const word = (text: string): string => `'${line(text).replaceAll("'", "'\\''")}'`
