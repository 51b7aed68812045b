/** Which page an address shows. */
import { DeadLettersPage } from "../dead/lazyDeadLetters.js"
import { href } from "../location.js"
import type { Route } from "../route.js"
import { RunFullPage } from "../run/RunFullPage.js"
import { Skeleton } from "../runs/ListStates.js"
import { RunsPage } from "../runs/RunsPage.js"
import { TaskPage } from "../tasks/lazyTask.js"
import { TasksPage } from "../tasks/lazyTasks.js"
import { t } from "../text/en.js"
import { Blank } from "../ui/Blank.js"
import { lazy } from "../ui/lazy.js"

const { Part: SchedulesPage } = lazy<object>(
  () => import("../schedules/SchedulesPage.js").then((module) => module.SchedulesPage),
  () => <Skeleton />
)

const { Part: InstancesPage } = lazy<object>(
  () => import("../instances/InstancesPage.js").then((module) => module.InstancesPage),
  () => <Skeleton />
)

const { Part: AuditPage } = lazy<object>(
  () => import("../audit/AuditPage.js").then((module) => module.AuditPage),
  () => <Skeleton />
)

const { Part: OverviewPage } = lazy<object>(
  () => import("../overview/OverviewPage.js").then((module) => module.OverviewPage),
  () => <Skeleton />
)

export const Page = ({ route }: { readonly route: Route }) => {
  switch (route.page) {
    case "home":
    case "login":
      return <OverviewPage />
    case "runs":
      return <RunsPage />
    case "run":
      return <RunFullPage key={route.id} id={route.id} />
    case "tasks":
      return <TasksPage />
    case "task":
      return <TaskPage key={route.name} name={route.name} />
    case "deadLetters":
      return <DeadLettersPage />
    case "schedules":
      return <SchedulesPage />
    case "instances":
      return <InstancesPage />
    case "audit":
      return <AuditPage />
    case "unknown":
      return (
        <Blank title={t.unknownPage} actions={<a class="btn" href={href("runs")}>{t.toRuns}</a>}>
          <p>{t.unknownPageBody(route.path)}</p>
        </Blank>
      )
  }
}

export const titleOf = (route: Route): string => {
  switch (route.page) {
    case "login":
      return t.login.title
    case "home":
      return t.sections.overview
    case "runs":
      return t.sections.runs
    case "run":
      return `${t.run.panel} ${route.id.slice(-8)}`
    case "tasks":
      return t.sections.tasks
    case "task":
      return route.name
    case "deadLetters":
      return t.sections.deadLetters
    case "schedules":
      return t.schedules.title
    case "instances":
      return t.instances.title
    case "audit":
      return t.audit.title
    case "unknown":
      return t.unknownPage
  }
}
