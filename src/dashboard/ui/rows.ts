/** Moves the focus between the rows of a table by the keyboard: to the link that stands for the row. */
export const stepRow = (selector: string, by: 1 | -1): void => {
  const rows = [...document.querySelectorAll<HTMLElement>(selector)]
  const at = rows.findIndex((row) => row.contains(document.activeElement))
  const next = rows[at < 0 ? (by === 1 ? 0 : rows.length - 1) : at + by]
  next?.querySelector("a")?.focus()
  next?.scrollIntoView({ block: "nearest" })
}
