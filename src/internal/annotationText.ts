/**
 * Annotations of a log line as JSON text. Never throws, whatever the values do. Pure.
 */
import * as Inspectable from "effect/Inspectable"
import { logged } from "./logged.js"

/** Null when there are none. */
export const annotationText = (annotations: Record<string, unknown>): string | null => {
  if (Object.keys(annotations).length === 0) return null
  const entries = Object.entries(annotations).map(([key, value]) => [key, logged(value)] as const)
  try {
    return Inspectable.stringifyCircular(Object.fromEntries(entries))
  } catch {
    // A bigint, or a toJSON that throws: then every value as text.
    const texts = entries.map(([key, value]) => [key, Inspectable.toStringUnknown(value)] as const)
    return JSON.stringify(Object.fromEntries(texts))
  }
}
