/** Every fault there is. */
import { block } from "./block.js"
import type { Fault } from "./Fault.js"
import { freeze } from "./freeze.js"
import { kill } from "./kill.js"
import { restart } from "./restart.js"
import { skew } from "./skew.js"
import { versions } from "./versions.js"

export const all: ReadonlyArray<Fault> = [kill, restart, freeze, block, skew, versions]
