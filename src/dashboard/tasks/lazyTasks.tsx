/** The page of tasks, loaded when somebody first goes there. */
import { Skeleton } from "../runs/ListStates.js"
import { lazy } from "../ui/lazy.js"

export const { Part: TasksPage } = lazy<object>(
  () => import("./TasksPage.js").then((module) => module.TasksPage),
  () => <Skeleton rows={8} />
)
