/** Every word that the app says, in English. Another language is another table of this type. */
import { dead } from "./en/dead.js"
import { detail } from "./en/detail.js"
import { fleet } from "./en/fleet.js"
import { overview } from "./en/overview.js"
import { palette } from "./en/palette.js"
import { run } from "./en/run.js"
import { runs } from "./en/runs.js"
import { shell } from "./en/shell.js"
import { tasks } from "./en/tasks.js"

export const en = {
  ...shell,
  ...runs,
  ...run,
  ...dead,
  ...tasks,
  ...fleet,
  ...overview,
  ...detail,
  ...palette
}

export type Strings = typeof en

/** The words in force. */
export const t: Strings = en
