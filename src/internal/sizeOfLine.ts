import type { Change } from "../TaskBackend.js"

/** What a log line adds to `logBytes`: the characters of its message and annotations, unless it says. Pure. */
export const sizeOfLine = ({ line, size }: Pick<Extract<Change, { readonly _tag: "Log" }>, "line" | "size">): number =>
  size ?? line.message.length + (line.annotations?.length ?? 0)
