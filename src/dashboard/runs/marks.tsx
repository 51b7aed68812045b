/** What is special about a run, as small signs beside its name: each a shape, words for those who hear the page, and a hint. */
import type { Run } from "../api/types.js"
import { Icon } from "../ui/Icon.js"
import { marksOf } from "./special.js"

export const Marks = ({ run }: { readonly run: Run }) => (
  <>
    {marksOf(run).map(({ icon, label, title }) => (
      <span key={icon} class="mark-icon" title={title}>
        <Icon name={icon} size={icon === "clock" ? 14 : 12} />
        <span class="sr">{label}</span>
      </span>
    ))}
  </>
)
