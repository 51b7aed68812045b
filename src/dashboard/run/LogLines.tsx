/** Log lines as a list, with a mark where an attempt begins. Text is shown as text, whatever is in it. */
import type { LogLine } from "../api/types.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"

const extras = (annotations: LogLine["annotations"]): string =>
  Object.entries(annotations).map(([name, value]) =>
    `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`
  ).join(" ")

const levels: Readonly<Record<LogLine["level"], string>> = {
  debug: "debug",
  info: "info",
  warning: "warn",
  error: "error"
}

type OnAttempt = ((attempt: number) => void) | undefined

const Line = ({ line, onAttempt }: { readonly line: LogLine; readonly onAttempt: OnAttempt }) => {
  const more = extras(line.annotations)
  return (
    <li class={`l-${line.level}`} id={`line-${line.sequence}`}>
      <time dateTime={line.at} title={format.fullTime(Date.parse(line.at), utc.value)}>
        {format.preciseTime(Date.parse(line.at), utc.value)}
      </time>
      {line.level === "error" && onAttempt !== undefined
        ? (
          <button
            type="button"
            class="lv"
            title={t.logs.toAttempt(line.attempt)}
            onClick={() => onAttempt(line.attempt)}
          >
            {levels.error}
            <span class="sr">{t.logs.toAttempt(line.attempt)}</span>
          </button>
        )
        : <span class="lv">{levels[line.level]}</span>}
      <span class="m">{line.message}{more === "" ? null : <span class="kv">{" "}{more}</span>}</span>
    </li>
  )
}

// The engine writes such a line where an attempt begins; here a mark says it.
const isMark = ({ message }: LogLine): boolean => /^--- Retry \d+ ---$/.test(message)

interface LogLinesProps {
  readonly lines: ReadonlyArray<LogLine>
  /** Shows an attempt: offered by lines that tell of an error. */
  readonly onAttempt?: OnAttempt
}

export const LogLines = ({ lines, onAttempt }: LogLinesProps) => (
  <ol class="logs">
    {lines.flatMap((line, index) => {
      const before = lines[index - 1]
      const begins = before === undefined ? line.attempt > 1 : before.attempt !== line.attempt
      return [
        ...begins
          ? [
            <li key={`a${line.attempt}-${line.sequence}`} class="begins" id={`attempt-${line.attempt}`}>
              {t.run.attempt(line.attempt)}
            </li>
          ]
          : [],
        ...isMark(line) && begins ? [] : [<Line key={line.sequence} line={line} onAttempt={onAttempt} />]
      ]
    })}
  </ol>
)
