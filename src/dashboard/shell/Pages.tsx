/** Which page an address shows. */
import { useEffect } from "preact/hooks"
import { DeadLettersPage } from "../dead/lazyDeadLetters.js"
import { href, navigate } from "../location.js"
import type { Route } from "../route.js"
import { RunFullPage } from "../run/RunFullPage.js"
import { RunsPage } from "../runs/RunsPage.js"
import { TasksPage } from "../tasks/lazyTasks.js"
import { t } from "../text/en.js"
import { Blank } from "../ui/Blank.js"

/** The first page, until there is an overview. */
const Home = () => {
  useEffect(() => navigate(href("runs"), { replace: true }), [])
  return null
}

export const Page = ({ route }: { readonly route: Route }) => {
  switch (route.page) {
    case "home":
    case "login":
      return <Home />
    case "runs":
      return <RunsPage />
    case "run":
      return <RunFullPage key={route.id} id={route.id} />
    case "tasks":
      return <TasksPage />
    case "deadLetters":
      return <DeadLettersPage />
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
    case "runs":
      return t.sections.runs
    case "run":
      return `${t.run.panel} ${route.id.slice(-8)}`
    case "tasks":
      return t.sections.tasks
    case "deadLetters":
      return t.sections.deadLetters
    case "unknown":
      return t.unknownPage
  }
}
