/**
 * `layer` of @effect/vitest leaves its services in the one `it` that there is. Files that share a thread share that, too, and
 * each begins with it as it was.
 */
import { effect, it, layer, live, scoped, scopedLive } from "@effect/vitest"

Object.assign(it, { effect, layer, live, scoped, scopedLive })

// Effect shortens stacks while it prints an error, and an error that cannot be printed leaves them short.
Error.stackTraceLimit = Math.max(Error.stackTraceLimit, 10)
