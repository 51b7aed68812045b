/** How long a page is that was asked for: a whole number from 1 to 200, 50 when nothing was said. */
export const pageLimit = (asked: number | undefined): number => Math.min(200, Math.max(1, Math.floor(asked ?? 50)))
