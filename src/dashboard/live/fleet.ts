/** What the stream says of the fleet: which parts are not as they were. Whoever shows them reads them again. */
import type { FleetPart, Frame } from "../../http/stream/frame.js"
import type { Run } from "../api/types.js"

/** Whether a frame says that one of these may be another one now; after a reset everything may. */
export const isNewsOf = (...parts: ReadonlyArray<FleetPart>) => (frame: Frame<Run>): boolean =>
  frame.t === "reset" || frame.t === "fleet" && frame.what.some((part) => parts.includes(part))
