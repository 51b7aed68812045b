/** The page of dead letters, loaded when somebody first goes there. */
import { Skeleton } from "../runs/ListStates.js"
import { lazy } from "../ui/lazy.js"

export const { Part: DeadLettersPage } = lazy<object>(
  () => import("./DeadLettersPage.js").then((module) => module.DeadLettersPage),
  () => <Skeleton rows={8} />
)
