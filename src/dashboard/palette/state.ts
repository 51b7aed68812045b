/** Whether the palette is open, and the run it may act on: what the rest of the app has to know of it. */
import { signal } from "@preact/signals"
import type { Run } from "../api/types.js"

export const paletteOpen = signal(false)

/** The run that is looked at, and what to do when something was done to it. */
export const runInView = signal<{ readonly run: Run; readonly done: () => void } | null>(null)

/** A dialog that was asked for by the palette, and is shown when that is gone. */
export const wanted = signal<"clear" | "pause" | null>(null)

export const isApple = /Mac|iP(hone|ad|od)/.test(navigator.userAgent)
export const modifier = isApple ? "⌘" : "Ctrl"
