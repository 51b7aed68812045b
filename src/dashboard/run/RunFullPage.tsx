/** A run as a page of its own, for links and small screens. */
import { useEffect } from "preact/hooks"
import { href, navigate, param } from "../location.js"
import { runPath } from "../route.js"
import { useKeys } from "../shell/keyboard.js"
import { t } from "../text/en.js"
import { Icon } from "../ui/Icon.js"
import { RunView } from "./lazyRun.js"

export const RunFullPage = ({ id }: { readonly id: string }) => {
  // Links to related runs say which run in a parameter: here that is another page.
  const other = param("run")
  useEffect(() => {
    if (other !== null) navigate(href(runPath(other)), { replace: true })
  }, [other])
  useKeys({ Escape: () => navigate(href("runs")) })
  return (
    <article class="run-page">
      <h1 class="sr">{t.run.panel} {id.slice(-8)}</h1>
      <RunView
        id={id}
        extra={
          <a class="btn" href={href("runs")}>
            <Icon name="back" size={14} />
            {t.run.back}
          </a>
        }
      />
    </article>
  )
}
