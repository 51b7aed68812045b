/**
 * The conformance suite of the backend port: every promise of `TaskBackend` as an effect that needs one.
 *
 * Written for no test runner. With `@effect/vitest`:
 *
 * ```ts
 * import { describe, it } from "@effect/vitest"
 * import { Effect } from "effect"
 * import { BackendSuite } from "effect-taskflow/testing"
 *
 * describe("MyBackend", () => {
 *   for (const one of BackendSuite.cases) {
 *     it.scoped(`${one.concern}: ${one.name}`, () => one.run.pipe(Effect.provide(MyBackend.layer)))
 *   }
 * })
 * ```
 *
 * The layer is built once for each case and must give it a backend without tasks; instances of an earlier case may still be
 * known to it. Time is an argument of every method, so the cases sleep nowhere and ask no clock; they play in 2001 and in
 * 2096 to find a backend that does.
 */
import * as Auditing from "./suite/auditing.js"
import * as Cancelling from "./suite/cancelling.js"
import * as Claiming from "./suite/claiming.js"
import * as Counting from "./suite/counting.js"
import * as Deleting from "./suite/deleting.js"
import * as Feeding from "./suite/feeding.js"
import * as Fleet from "./suite/fleet.js"
import * as Folding from "./suite/folding.js"
import * as Following from "./suite/following.js"
import * as Grouping from "./suite/grouping.js"
import * as Instances from "./suite/instances.js"
import * as Keys from "./suite/keys.js"
import * as Ledger from "./suite/ledger.js"
import * as Listing from "./suite/listing.js"
import * as Modelled from "./suite/modelled.js"
import * as Owning from "./suite/owning.js"
import * as Paging from "./suite/paging.js"
import * as Pausing from "./suite/pausing.js"
import * as Racing from "./suite/racing.js"
import * as Reaping from "./suite/reaping.js"
import * as Repeating from "./suite/repeating.js"
import * as Retrying from "./suite/retrying.js"
import * as Scheduling from "./suite/scheduling.js"
import * as Slots from "./suite/slots.js"
import type { Case } from "./suite/stage.js"
import * as Stats from "./suite/stats.js"
import * as Stealing from "./suite/stealing.js"
import * as Strings from "./suite/strings.js"
import * as Summing from "./suite/summing.js"
import * as Suspects from "./suite/suspects.js"
import * as Waiting from "./suite/waiting.js"
import * as Writing from "./suite/writing.js"

export type { Case }

/**
 * Random histories compared with a model: a case of its own, to play more of them, or a failed one again by the `seed` and
 * `path` of its message. `cases` has it with the defaults.
 */
export const modelled: (options?: Modelled.ModelOptions) => Case = Modelled.modelled

/** Every case, by concern. */
export const cases: ReadonlyArray<Case> = [
  Writing,
  Claiming,
  Waiting,
  Owning,
  Cancelling,
  Keys,
  Retrying,
  Listing,
  Paging,
  Ledger,
  Stats,
  Counting,
  Summing,
  Folding,
  Deleting,
  Repeating,
  Racing,
  Strings,
  Instances,
  Reaping,
  Suspects,
  Stealing,
  Scheduling,
  Slots,
  Pausing,
  Auditing,
  Grouping,
  Feeding,
  Following,
  Fleet,
  Modelled
].flatMap((concern) => concern.cases)
