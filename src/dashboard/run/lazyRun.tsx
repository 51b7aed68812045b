/** One run, loaded when somebody first opens one, or before that when nothing else is to be done. */
import { Skeleton } from "../runs/ListStates.js"
import { lazy } from "../ui/lazy.js"
import type { RunViewProps } from "./RunView.js"

export const { Part: RunView, preload: preloadRun } = lazy<RunViewProps>(
  () => import("./RunView.js").then((module) => module.RunView),
  () => <Skeleton rows={6} />
)
