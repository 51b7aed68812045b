/**
 * Sets a ref in a set of fiber refs. Pure.
 */
import * as FiberId from "effect/FiberId"
import type * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"

// Refs are set before the fiber exists; the id only tells who wrote last when refs of two fibers are joined.
const nobody = FiberId.make(0, 0) as FiberId.Single

export const setRef = <A>(refs: FiberRefs.FiberRefs, fiberRef: FiberRef.FiberRef<A>, value: A): FiberRefs.FiberRefs =>
  FiberRefs.updateAs(refs, { fiberId: nobody, fiberRef, value })
