/** What went wrong: name, message, and the frames of the application before those of libraries. */
import { useState } from "preact/hooks"
import type { RunDetail } from "../api/types.js"
import { t } from "../text/en.js"
import { CauseTree } from "./CauseTree.js"
import { SameError } from "./SameError.js"
import { nameIn, readStack, splitError } from "./stack.js"

export const ErrorBox = ({ run }: { readonly run: RunDetail }) => {
  const [all, setAll] = useState(false)
  if (run.error === null) return null
  const [begins, rest] = splitError(run.error)
  const stack = run.stacktrace === null ? null : readStack(run.stacktrace)
  const name = begins === "" && stack !== null ? nameIn(stack, rest) : begins
  const own = stack?.frames.filter((frame) => frame.own) ?? []
  const hidden = (stack?.frames.length ?? 0) - own.length
  const { cause } = run
  const shown = all ? stack?.frames ?? [] : cause !== null ? [] : own.length === 0 ? stack?.frames ?? [] : own
  return (
    <section class="sec">
      <div class="sec-head">
        <h3>{t.run.error}</h3>
        {run.fingerprint === null ? null : <SameError fingerprint={run.fingerprint} />}
      </div>
      <div class="errbox">
        <p>
          {name === "" ? null : (
            <>
              <strong>{name}</strong>
              {" "}
            </>
          )}
          {rest}
        </p>
        {cause === null || all ? null : <CauseTree cause={cause} />}
        {shown.length === 0 ? null : (
          <pre class="stack" tabIndex={0}>
            {shown.map(({ own, place, text }, index) => {
              const at = place === null ? text.length : text.lastIndexOf(place)
              return (
                <span key={index} class={own ? "own" : "lib"}>
                  {text.slice(0, at)}{place === null ? null : <mark>{place}</mark>}{place === null ? "" : text.slice(at + place.length)}{"\n"}
                </span>
              )
            })}
          </pre>
        )}
        {(hidden > 0 && own.length > 0 || cause !== null && stack !== null) && !all
          ? (
            <button type="button" class="link quiet" onClick={() => setAll(true)}>
              {cause === null ? `${t.run.frames(hidden)} · ` : ""}
              {t.run.showFrames}
            </button>
          )
          : null}
      </div>
    </section>
  )
}
