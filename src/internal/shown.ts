/**
 * A value as a message repeats it: quoted, on one line, and never longer than a reader needs to know it again. Pure.
 */

const most = 100

/** At most 100 UTF-16 units of a text, and how long it was where it was longer. */
export const cut = (text: string): string =>
  text.length <= most ? text : `${text.slice(0, most)}… (cut, ${text.length} characters)`

/** In double quotes, with what would break the line escaped. */
export const quoted = (text: string): string => JSON.stringify(cut(text))

/** Any value in one line. Never throws, whatever the value does. */
export const inWords = (value: unknown): string => {
  try {
    return typeof value === "string" ? quoted(value) : cut(String(value).replace(/\s+/g, " "))
  } catch {
    return typeof value
  }
}
