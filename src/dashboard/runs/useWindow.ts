/** Only the rows that can be seen, and the one that has the focus: a list of any length costs what a screen costs. */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  type VirtualItem,
  Virtualizer
} from "@tanstack/virtual-core"
import type { RefObject } from "preact"
import { useLayoutEffect, useState } from "preact/hooks"

export interface Windowed {
  readonly items: ReadonlyArray<VirtualItem>
  /** Of all rows, in pixels. */
  readonly height: number
  readonly reveal: (index: number) => void
}

interface WindowOptions {
  readonly count: number
  readonly rowHeight: number
  /** Of what stands above the rows and scrolls, or sticks, with them. */
  readonly above: number
  readonly scroller: RefObject<HTMLElement | null>
  readonly keyOf: (index: number) => string
  /** Stays in the document wherever it is scrolled. */
  readonly pinned: number | null
}

const overscan = 6

export const useWindow = ({ above, count, keyOf, pinned, rowHeight, scroller }: WindowOptions): Windowed => {
  const [, draw] = useState(0)
  const options = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    getItemKey: keyOf,
    overscan,
    scrollMargin: above,
    scrollPaddingStart: above,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    rangeExtractor: (range: { startIndex: number; endIndex: number; overscan: number; count: number }) => {
      const from = Math.max(0, range.startIndex - range.overscan)
      const to = Math.min(range.count - 1, range.endIndex + range.overscan)
      const indexes = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
      return pinned === null || pinned >= range.count || pinned >= from && pinned <= to
        ? indexes
        : [...indexes, pinned].sort((a, b) => a - b)
    },
    onChange: () => draw((drawn) => drawn + 1)
  }
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, HTMLElement>(options))
  virtualizer.setOptions(options)
  useLayoutEffect(() => virtualizer._didMount(), [])
  useLayoutEffect(() => virtualizer._willUpdate())
  useLayoutEffect(() => virtualizer.measure(), [rowHeight])
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    reveal: (index) => virtualizer.scrollToIndex(index, { align: "auto" })
  }
}
