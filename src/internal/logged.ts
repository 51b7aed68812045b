/**
 * Values as log lines show them. Pure.
 */

/** An Error as its words, unless it says itself how it is JSON: that of a plain one is `{}`. All else as it is. */
export const logged = (value: unknown): unknown =>
  value instanceof Error && !("toJSON" in value) ? String(value) : value
