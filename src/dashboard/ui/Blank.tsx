/** A place where there could be something: why there is nothing, and what to do. */
import type { ComponentChildren } from "preact"

interface BlankProps {
  readonly title: string
  readonly children?: ComponentChildren
  readonly actions?: ComponentChildren
  /** It went wrong: said at once by screen readers. */
  readonly alert?: boolean
}

export const Blank = ({ actions, alert = false, children, title }: BlankProps) => (
  <div class="blank" role={alert ? "alert" : undefined}>
    <h2>{title}</h2>
    {children}
    {actions === undefined ? null : <div class="actions">{actions}</div>}
  </div>
)
