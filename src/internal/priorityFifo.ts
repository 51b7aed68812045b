/**
 * Items by priority, highest first, first come first served among equals. Pure data, no effects.
 *
 * One first-in-first-out list for each distinct priority, the priorities in a sorted array: taking and peeking at either
 * end cost O(1), adding costs a binary search. Removal marks an item; marked items are skipped when they come up, or go when
 * they are most of a list: its first one may stay for days while others come and are removed.
 */
interface Node<A> {
  readonly value: A
  readonly sequence: number
  removed: boolean
}

interface Level<A> {
  readonly priority: number
  /** Nothing is kept before `head`: what was taken would stay in memory with the array. */
  nodes: Array<Node<A> | undefined>
  head: number
  /** Marked ones from `head` on. */
  marked: number
}

export interface PriorityFifo<A> {
  readonly size: () => number
  /** `sequence` orders equals; growing numbers are the cheap case. The answer removes the item again; true when it was still there. */
  readonly add: (priority: number, sequence: number, value: A) => () => boolean
  readonly peek: () => { readonly priority: number; readonly sequence: number; readonly value: A } | undefined
  readonly take: () => A | undefined
  /** Removes the newest item of the lowest priority. */
  readonly takeLast: () => A | undefined
  readonly lowestPriority: () => number | undefined
}

export const make = <A>(): PriorityFifo<A> => {
  const levels: Array<Level<A>> = [] // ascending by priority: the next to take is at the end, where removal is cheap
  let size = 0

  const search = (priority: number): number => {
    let low = 0
    let high = levels.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (levels[middle]!.priority < priority) low = middle + 1
      else high = middle
    }
    return low
  }

  // Drops what was removed from the front; answers whether the level still has an item.
  const settleFront = (level: Level<A>): boolean => {
    while (level.head < level.nodes.length && level.nodes[level.head]!.removed) {
      level.nodes[level.head] = undefined
      level.head += 1
      level.marked -= 1
    }
    if (level.head > 1024 && level.head * 2 > level.nodes.length) {
      level.nodes = level.nodes.slice(level.head)
      level.head = 0
    }
    return level.head < level.nodes.length
  }

  // At the end, unless an older item returns: then where its sequence belongs.
  const place = (level: Level<A>, node: Node<A>): void => {
    let index = level.nodes.length
    while (index > level.head && level.nodes[index - 1]!.sequence > node.sequence) index -= 1
    if (index === level.nodes.length) level.nodes.push(node)
    else level.nodes.splice(index, 0, node)
  }

  const mark = (level: Level<A>, node: Node<A>): void => {
    node.removed = true
    level.marked += 1
    size -= 1
    const left = level.nodes.length - level.head
    // Between the ends nobody comes by; few levels are kept, so that one that is used again and again is not made anew.
    if (level.marked === left && levels.length > 64) {
      const at = search(level.priority)
      if (levels[at] === level) levels.splice(at, 1)
      return
    }
    if (level.marked < 64 || level.marked * 2 < left) return
    level.nodes = level.nodes.slice(level.head).filter((one) => one?.removed === false)
    level.head = 0
    level.marked = 0
  }

  const top = (): Level<A> | undefined => {
    while (levels.length > 0) {
      const level = levels[levels.length - 1]!
      if (settleFront(level)) return level
      levels.pop()
    }
    return undefined
  }

  const bottom = (): Level<A> | undefined => {
    while (levels.length > 0) {
      const level = levels[0]!
      while (level.nodes.length > level.head && level.nodes[level.nodes.length - 1]!.removed) {
        level.nodes.pop()
        level.marked -= 1
      }
      if (level.nodes.length > level.head) return level
      levels.shift()
    }
    return undefined
  }

  return {
    size: () => size,
    add: (priority, sequence, value) => {
      const at = search(priority)
      let level = levels[at]
      if (level === undefined || level.priority !== priority) {
        level = { priority, nodes: [], head: 0, marked: 0 }
        levels.splice(at, 0, level)
      }
      const node: Node<A> = { value, sequence, removed: false }
      place(level, node)
      size += 1
      return () => {
        if (node.removed) return false
        mark(level, node)
        return true
      }
    },
    peek: () => {
      const level = top()
      if (level === undefined) return undefined
      const node = level.nodes[level.head]!
      return { priority: level.priority, sequence: node.sequence, value: node.value }
    },
    take: () => {
      const level = top()
      if (level === undefined) return undefined
      const node = level.nodes[level.head]!
      node.removed = true
      level.marked += 1
      size -= 1
      settleFront(level)
      return node.value
    },
    takeLast: () => {
      const node = bottom()?.nodes.pop()
      if (node === undefined) return undefined
      node.removed = true
      size -= 1
      return node.value
    },
    lowestPriority: () => bottom()?.priority
  }
}
