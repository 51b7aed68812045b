/** Every fault there is. */
import { block } from "./block.js"
import { databaseKill } from "./databaseKill.js"
import { databaseStop } from "./databaseStop.js"
import { full, readOnly } from "./disk.js"
import { duplicateFeed } from "./duplicateFeed.js"
import type { Fault } from "./Fault.js"
import { freeze } from "./freeze.js"
import { kill } from "./kill.js"
import { cut, lost, lostAnswers, partition, refuse, slow } from "./network.js"
import { restart } from "./restart.js"
import { skew } from "./skew.js"
import { versions } from "./versions.js"

export const all: ReadonlyArray<Fault> = [
  ...[kill, restart, freeze, block, skew, versions],
  ...[databaseStop, databaseKill, slow, cut, refuse, partition, lost, lostAnswers, duplicateFeed],
  ...[full, readOnly]
]
