/** The parts of a cause as a tree: they come in the order they are read, each with its depth. Pure. */
import type { RunDetail } from "../api/types.js"

type Part = NonNullable<RunDetail["cause"]>["parts"][number]

export interface CauseNode {
  readonly part: Part
  readonly children: ReadonlyArray<CauseNode>
}

export const treeOf = (parts: ReadonlyArray<Part>): ReadonlyArray<CauseNode> => {
  const roots: Array<CauseNode> = []
  // The children of the latest part of each depth.
  const open: Array<Array<CauseNode>> = [roots]
  for (const part of parts) {
    const children: Array<CauseNode> = []
    open.length = Math.max(1, Math.min(open.length, part.depth + 1))
    open.at(-1)?.push({ part, children })
    open.push(children)
  }
  return roots
}
