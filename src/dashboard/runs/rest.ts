/** Rows that must not move, behind an answer that does not reach them. */
interface Answer<Row> {
  readonly items: ReadonlyArray<Row>
  readonly nextCursor: string | null
}

/** What a list is made of. `isTorn`: what lies between the answer and the rows behind it is not loaded. */
interface Joined<Row> extends Answer<Row> {
  readonly isTorn: boolean
}

/**
 * An answer to a list whose rows stay, the newest first. More may have come above them than were asked for: of those behind
 * the answer it says nothing, and the next page is still the one behind the last of them.
 */
export const withRest = <Row extends { readonly taskId: string }>(
  page: Answer<Row>,
  shown: ReadonlyArray<Row>,
  nextCursor: string | null
): Joined<Row> => {
  const { items } = page
  const last = page.nextCursor === null ? undefined : items.at(-1)?.taskId
  const behind = last === undefined ? [] : shown.filter(({ taskId }) => taskId < last)
  return behind.length === 0
    ? { items, nextCursor: page.nextCursor, isTorn: false }
    : { items: [...items, ...behind], nextCursor, isTorn: behind.length === shown.length }
}
