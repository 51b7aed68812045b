/**
 * Ids in ascending order, for paging by key. Pure data.
 *
 * Ids arrive almost in order (they begin with their time), so adding is an append; removal leaves a hole that is squeezed
 * out once half of the array is holes.
 */
export interface SortedIds<Id extends string> {
  readonly add: (id: Id) => void
  readonly remove: (id: Id) => void
  /** Ids strictly beyond `after` in the given direction (`undefined`: from the end it starts at). */
  readonly from: (after: Id | undefined, direction: "ascending" | "descending") => Generator<Id>
}

export const make = <Id extends string>(): SortedIds<Id> => {
  let ids: Array<Id> = []
  const removed = new Set<Id>()

  // The first index whose id is not below `id`.
  const search = (id: Id): number => {
    let low = 0
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
      if (ids.length === 0 || ids[ids.length - 1]! < id) ids.push(id)
      else ids.splice(search(id), 0, id)
    },
    remove: (id) => {
      removed.add(id)
      if (removed.size > 64 && removed.size * 2 > ids.length) {
        ids = ids.filter((kept) => !removed.has(kept))
        removed.clear()
      }
    },
    *from(after, direction) {
      if (direction === "ascending") {
        const start = after === undefined ? 0 : search(after)
        for (let index = start; index < ids.length; index += 1) {
          const id = ids[index]!
          if (id !== after && !removed.has(id)) yield id
        }
      } else {
        const start = after === undefined ? ids.length : search(after)
        for (let index = start - 1; index >= 0; index -= 1) {
          if (!removed.has(ids[index]!)) yield ids[index]!
        }
      }
    }
  }
}
