/** A page whose content could not be loaded: what the server said, and another try. It is never shown as an empty page. */
import type { ApiProblem } from "../api/problem.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "./Blank.js"
import { Button } from "./controls.js"

interface LoadFailedProps {
  readonly title: string
  readonly problem: ApiProblem
  readonly onRetry: () => void
}

export const LoadFailed = ({ onRetry, problem, title }: LoadFailedProps) => (
  <Blank alert title={title} actions={<Button onClick={onRetry}>{t.states.tryAgain}</Button>}>
    <p>{format.sentence(problem.message)}</p>
  </Blank>
)
