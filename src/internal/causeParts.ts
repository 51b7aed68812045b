/**
 * A cause of several parts in a form that can be stored and shown: its parts in the order they are read, each with how deep it
 * stands. Bounded, whatever the cause is. Pure.
 */
import type * as Cause from "effect/Cause"
import type { CausePart, FailureCause } from "../TaskEvent.js"

/** What is kept of all parts together. Depth beyond the last level, parts and characters beyond these are counted as omitted. */
const most = { parts: 24, depth: 8, characters: 8_192, message: 500, stack: 1_200, frames: 8 } as const

type Node = Cause.Cause<unknown>
type Leaf = Cause.Fail<unknown> | Cause.Die

/** What is said of one leaf. */
export type Describe = (leaf: Leaf) => Pick<CausePart, "name" | "message" | "stack">

// Without recursion: a fiber that failed and failed again is a chain of any length.
const childrenOf = (node: Cause.Parallel<unknown> | Cause.Sequential<unknown>): ReadonlyArray<Node> => {
  const children: Array<Node> = []
  const open: Array<Node> = [node.right, node.left]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next._tag === node._tag && "left" in next) open.push(next.right, next.left)
    else if (next._tag !== "Empty") children.push(next)
  }
  return children
}

const leavesOf = (node: Node): number => {
  let leaves = 0
  const open: Array<Node> = [node]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if ("left" in next) open.push(next.right, next.left)
    else if (next._tag !== "Empty") leaves += 1
  }
  return leaves
}

const cut = (text: string, length: number): string => text.length <= length ? text : `${text.slice(0, length - 1)}…`

const framesOf = (stack: string): string =>
  cut(stack.split("\n").filter((line) => /^\s+at /.test(line)).slice(0, most.frames).join("\n"), most.stack)

const none = { name: "", message: "", stack: "" } as const
const kinds = { Parallel: "parallel", Sequential: "sequential", Fail: "error", Die: "defect" } as const

/** Null for a cause of one part, which its failure tells by itself. */
export const partsOf = (cause: Node, describe: Describe): FailureCause | null => {
  const leaves = leavesOf(cause)
  if (leaves < 2) return null
  const parts: Array<CausePart> = []
  let told = 0
  let characters = 0
  const visit = (node: Node, depth: number): void => {
    if (parts.length >= most.parts || depth > most.depth) return
    switch (node._tag) {
      case "Parallel":
      case "Sequential": {
        const children = childrenOf(node)
        // An empty side is no part.
        if (children.length === 1) return visit(children[0]!, depth)
        // Without room for a part of it, it says nothing.
        if (children.length === 0 || depth === most.depth || parts.length + 1 >= most.parts) return
        parts.push({ depth, kind: kinds[node._tag], ...none })
        for (const child of children) {
          if (parts.length >= most.parts) return
          visit(child, depth + 1)
        }
        return
      }
      case "Interrupt":
        parts.push({ depth, kind: "interrupt", ...none })
        told += 1
        return
      case "Fail":
      case "Die": {
        if (characters >= most.characters) return
        const { message, name, stack } = describe(node)
        const part = { name: cut(name, 200), message: cut(message, most.message), stack: framesOf(stack) }
        characters += part.name.length + part.message.length + part.stack.length
        parts.push({ depth, kind: kinds[node._tag], ...part })
        told += 1
        return
      }
      case "Empty":
        return
    }
  }
  visit(cause, 0)
  return { parts, omitted: leaves - told }
}
