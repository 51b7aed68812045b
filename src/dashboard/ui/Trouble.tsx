/** That something could not be loaded: what the server said, never shown as an empty list. */
import type { ApiProblem } from "../api/problem.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "./Blank.js"
import { Button } from "./controls.js"
import { copy } from "./copy.js"

interface TroubleProps {
  readonly title: string
  readonly problem: ApiProblem
  readonly onRetry: () => void
}

export const Trouble = ({ onRetry, problem, title }: TroubleProps) => {
  const { details, message, status, tag } = problem
  return (
    <Blank
      alert
      title={title}
      actions={
        <>
          <Button onClick={onRetry}>{t.states.tryAgain}</Button>
          <Button kind="quiet" onClick={() => void copy(JSON.stringify({ tag, status, message, ...details }, null, 2))}>
            {t.states.copyDetails}
          </Button>
        </>
      }
    >
      <p>{format.sentence(message)}</p>
    </Blank>
  )
}
