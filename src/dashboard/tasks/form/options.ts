/** What an enqueue says beside the payload: as it is written in the form, what is wrong with it, and as it is sent. Pure. */
import type { EnqueueBody } from "../../api/types.js"
import type { Wrong } from "./place.js"

export type Start = "now" | "delay" | "at"
export type Unit = "s" | "m" | "h" | "d"

export interface Options {
  readonly start: Start
  readonly delay: string
  readonly unit: Unit
  /** As the browser's control has it: a time in its own zone. */
  readonly at: string
  readonly priority: string
  /** One a line. */
  readonly tags: string
  readonly key: string
}

export const noOptions: Options = { start: "now", delay: "", unit: "m", at: "", priority: "", tags: "", key: "" }

const units: Readonly<Record<Unit, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export interface OptionWords {
  readonly badTag: (line: string) => string
  readonly badDelay: string
  readonly badAt: string
  readonly noNumber: string
  readonly notWhole: string
}

/** The parts of the body, and what is wrong, by the names that the server has for them. */
export const read = (
  { at, delay, key, priority, start, tags, unit }: Options,
  words: OptionWords
): { readonly body: EnqueueBody; readonly wrong: ReadonlyArray<Wrong> } => {
  const wrong: Array<Wrong> = []
  const millis = Number(delay) * units[unit]
  if (start === "delay" && !(millis > 0 && Number.isFinite(millis))) {
    wrong.push({ path: "delay", message: words.badDelay })
  }
  const moment = Date.parse(at)
  if (start === "at" && Number.isNaN(moment)) wrong.push({ path: "runAt", message: words.badAt })
  const rank = Number(priority)
  if (priority.trim() !== "" && !Number.isSafeInteger(rank)) {
    wrong.push({ path: "priority", message: Number.isNaN(rank) ? words.noNumber : words.notWhole })
  }
  const lines = tags.split("\n").map((line) => line.trim()).filter((line) => line !== "")
  const pairs = lines.map((line): readonly [string, string] => {
    const sign = line.indexOf("=")
    if (sign < 1) wrong.push({ path: "tags", message: words.badTag(line) })
    return [line.slice(0, sign).trim(), line.slice(sign + 1).trim()]
  })
  return {
    wrong,
    body: {
      ...start === "delay" ? { delay: millis } : start === "at" && !Number.isNaN(moment)
        ? { runAt: new Date(moment).toISOString() }
        : {},
      ...priority.trim() === "" ? {} : { priority: rank },
      ...pairs.length === 0 ? {} : { tags: Object.fromEntries(pairs) },
      ...key === "" ? {} : { idempotencyKey: key }
    }
  }
}

/** The places that the server may name, and those of the form. */
export const places: ReadonlyArray<string> = ["delay", "runAt", "priority", "tags", "idempotencyKey"]

/** A text as one word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The request, for a terminal. */
export const curlOf = (url: string, body: unknown): string =>
  `curl -u USER:PASSWORD -H content-type:application/json -d ${quoted(JSON.stringify(body))} ${quoted(url)}`
