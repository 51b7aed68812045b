/** What somebody wants to do with saved views: the dialog that is open. */
import { signal } from "@preact/signals"

/** `save`: the path of what is shown. `rename` and `remove`: the name of a view. */
export type Wish = { readonly save: string } | { readonly rename: string } | { readonly remove: string }

export const wish = signal<Wish | null>(null)
