/**
 * Ids in ascending order, for paging by key. Pure data.
 *
 * Ids arrive almost in order (they begin with their time), so adding is an append. They also leave almost in order: the
 * first one goes by a step of `first`, any other one leaves a hole. Both are squeezed out once they are half of the array.
 */
export interface SortedIds<Id extends string> {
  readonly add: (id: Id) => void
  readonly remove: (id: Id) => void
  /** Ids strictly beyond `after` in the given direction (`undefined`: from the end it starts at). */
  readonly from: (after: Id | undefined, direction: "ascending" | "descending") => Generator<Id>
}

export const make = <Id extends string>(): SortedIds<Id> => {
  let ids: Array<Id> = []
  // Before it are none.
  let first = 0
  const removed = new Set<Id>()

  // The first index whose id is not below `id`.
  const search = (id: Id): number => {
    let low = first
    let high = ids.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ids[middle]! < id) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    add: (id) => {
      if (ids.length === first || ids[ids.length - 1]! < id) ids.push(id)
      else ids.splice(search(id), 0, id)
    },
    remove: (id) => {
      if (ids[first] === id) {
        first += 1
        while (removed.size > 0 && first < ids.length && removed.delete(ids[first]!)) first += 1
      } else removed.add(id)
      const gone = removed.size + first
      if (gone > 64 && gone * 2 > ids.length) {
        ids = ids.slice(first)
        first = 0
        if (removed.size > 0) ids = ids.filter((kept) => !removed.has(kept))
        removed.clear()
      }
    },
    *from(after, direction) {
      if (direction === "ascending") {
        const start = after === undefined ? first : search(after)
        for (let index = start; index < ids.length; index += 1) {
          const id = ids[index]!
          if (id !== after && !removed.has(id)) yield id
        }
      } else {
        const start = after === undefined ? ids.length : search(after)
        for (let index = start - 1; index >= first; index -= 1) {
          if (!removed.has(ids[index]!)) yield ids[index]!
        }
      }
    }
  }
}
