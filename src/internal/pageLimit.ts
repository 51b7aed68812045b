import { howMany } from "./listing.js"

/** How long a page is that was asked for: a whole number from 1 to 200, 50 when no number was said. */
export const pageLimit = (asked: number | undefined): number => howMany(asked, 1, 200, 50)
