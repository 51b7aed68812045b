/**
 * The views that are offered: those of the configuration, for everybody, and those that this user saved in this browser.
 *
 * What another tab saved meanwhile is read before each change. What cannot be read is left as it is, and what cannot be kept is
 * said, so nothing is lost without a word.
 */
import { computed, signal } from "@preact/signals"
import { config } from "../config.js"
import { session } from "../session.js"
import { keep, kept, onKeptElsewhere } from "../settings.js"
import { type Changed, read, type Refusal, type View } from "./views.js"

const keyOf = (user: string): string => `views:${user}`

// Counts what changed in what is kept.
const changes = signal(0)
onKeptElsewhere(() => (changes.value += 1))

const key = computed(() => session.value === null ? null : keyOf(session.value.user))

/** Null where what is kept cannot be read. */
export const ownViews = computed((): ReadonlyArray<View> | null => {
  void changes.value
  return key.value === null ? [] : read(kept(key.value))
})

export const allViews = computed(() => [
  ...config.views.map((view) => ({ ...view, shared: true })),
  ...(ownViews.value ?? []).map((view) => ({ ...view, shared: false }))
])

export type Trouble = Refusal | "unreadable" | "notKept"

/** Changes the user's views; answers why not, null when it is done and kept. */
export const change = (act: (views: ReadonlyArray<View>) => Changed): Trouble | null => {
  const name = key.peek()
  const before = name === null ? null : read(kept(name))
  if (name === null || before === null) return "unreadable"
  const after = act(before)
  if ("refused" in after) return after.refused
  if (!keep(name, JSON.stringify(after.views))) return "notKept"
  changes.value += 1
  return null
}

/** Begins anew where what is kept cannot be read, which stays beside it. */
export const startAnew = (): Trouble | null => {
  const name = key.peek()
  const text = name === null ? null : kept(name)
  if (name === null) return "notKept"
  if (text !== null && !keep(`${name}:unreadable`, text)) return "notKept"
  if (!keep(name, "[]")) return "notKept"
  changes.value += 1
  return null
}
