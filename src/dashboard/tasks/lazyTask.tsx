/** The page of one task, loaded when somebody first goes there. */
import { Skeleton } from "../runs/ListStates.js"
import { lazy } from "../ui/lazy.js"

export const { Part: TaskPage } = lazy<{ readonly name: string }>(
  () => import("./TaskPage.js").then((module) => module.TaskPage),
  () => <Skeleton rows={8} />
)
