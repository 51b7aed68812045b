/** Arguments and result, and the whole record as JSON. */
import type { RunDetail } from "../api/types.js"
import { isEnded } from "../api/types.js"
import { t } from "../text/en.js"
import { Button } from "../ui/controls.js"
import { copy } from "../ui/copy.js"
import { Icon } from "../ui/Icon.js"

const text = (value: unknown): string => JSON.stringify(value, null, 2) ?? "undefined"

const Code = ({ title, value }: { readonly title: string; readonly value: unknown }) => (
  <section class="sec">
    <div class="sec-head">
      <h3>{title}</h3>
      <span class="grow" />
      <Button small icon="copy" onClick={() => void copy(text(value))}>{t.copy}</Button>
    </div>
    <pre class="json" tabIndex={0}>{text(value)}</pre>
  </section>
)

const Note = (
  { children, icon, title }: { readonly title: string; readonly children: string; readonly icon?: boolean }
) => (
  <section class="sec">
    <div class="sec-head">
      <h3>{title}</h3>
    </div>
    <p class="hidden-note">{icon === true ? <Icon name="lock" size={14} /> : null}{children}</p>
  </section>
)

export const Arguments = ({ run }: { readonly run: RunDetail }) => {
  const { hidden, payload, result } = run
  return (
    <>
      {hidden.includes("payload")
        ? <Note icon title={t.args.arguments}>{t.args.hiddenBody}</Note>
        : <Code title={t.args.arguments} value={payload ?? null} />}
      {hidden.includes("result")
        ? <Note icon title={t.args.result}>{t.args.hiddenBody}</Note>
        : result !== undefined
        ? <Code title={t.args.result} value={result} />
        : (
          <Note title={t.args.result}>
            {!isEnded(run) ? t.args.noneYet : run.status === "success" ? t.args.noDeclared : t.args.none}
          </Note>
        )}
    </>
  )
}

export const Json = ({ run }: { readonly run: RunDetail }) => <Code title={t.run.tabs.json} value={run} />
