/** What a failure is made of when several things went wrong: what belongs together stands together. */
import type { RunDetail } from "../api/types.js"
import { t } from "../text/en.js"
import { type CauseNode, treeOf } from "./cause.js"
import { readStack } from "./stack.js"

type Cause = NonNullable<RunDetail["cause"]>

const Frames = ({ stack }: { readonly stack: string }) => {
  const { frames } = readStack(stack)
  const own = frames.filter((frame) => frame.own)
  const library = frames.filter((frame) => !frame.own)
  if (frames.length === 0) return null
  return (
    <>
      {own.length === 0 ? null : <pre class="stack">{own.map(({ text }) => text).join("\n")}</pre>}
      {library.length === 0 ? null : (
        <details>
          <summary>{t.cause.library(library.length)}</summary>
          <pre class="stack lib">{library.map(({ text }) => text).join("\n")}</pre>
        </details>
      )}
    </>
  )
}

const Node = ({ node: { children, part } }: { readonly node: CauseNode }) => (
  <li class={`cause-${part.kind}`}>
    {part.kind === "error" || part.kind === "defect"
      ? (
        <>
          <p>
            <strong>{part.name}</strong> {part.message}
            {part.kind === "defect"
              ? (
                <>
                  {" "}
                  <span class="pill">{t.cause.kinds.defect}</span>
                </>
              )
              : null}
          </p>
          <Frames stack={part.stack} />
        </>
      )
      : <p class="cause-kind">{t.cause.kinds[part.kind]}</p>}
    {children.length === 0 ? null : <Nodes nodes={children} />}
  </li>
)

const Nodes = ({ nodes }: { readonly nodes: ReadonlyArray<CauseNode> }) => (
  <ul>{nodes.map((node, index) => <Node key={index} node={node} />)}</ul>
)

export const CauseTree = ({ cause: { omitted, parts } }: { readonly cause: Cause }) => (
  <div class="cause" role="group" aria-label={t.cause.title}>
    <Nodes nodes={treeOf(parts)} />
    {omitted === 0 ? null : <p class="cause-kind">{t.cause.omitted(omitted)}</p>}
  </div>
)
