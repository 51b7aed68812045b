/** When a run starts, how urgent it is, how it is found, and the key that keeps it from being made twice. */
import type { ComponentChildren } from "preact"
import { useId } from "preact/hooks"
import { words } from "../../text/task.js"
import type { Options, Start, Unit } from "./options.js"
import type { Wrong } from "./place.js"

const { form } = words

interface RowProps {
  readonly label: string
  readonly place: string
  readonly note?: string
  readonly wrong: ReadonlyArray<Wrong>
  readonly children: (own: Readonly<Record<string, unknown>>) => ComponentChildren
}

const Row = ({ children, label, note, place, wrong }: RowProps) => {
  const id = useId()
  const trouble = wrong.find(({ path }) => path === place || path.startsWith(`${place}.`))
  const described = [...note === undefined ? [] : [`${id}h`], ...trouble === undefined ? [] : [`${id}t`]].join(" ")
  return (
    <div class="fld">
      <div class="fld-head">
        <label for={id}>{label}</label>
      </div>
      {children({
        id,
        "data-option": place,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": trouble === undefined ? undefined : true
      })}
      {note === undefined ? null : <p class="hint" id={`${id}h`}>{note}</p>}
      {trouble === undefined ? null : <p class="trouble" id={`${id}t`}>{trouble.message}</p>}
    </div>
  )
}

interface OptionFieldsProps {
  readonly options: Options
  readonly wrong: ReadonlyArray<Wrong>
  readonly usualPriority: number
  readonly onChange: (changes: Partial<Options>) => void
}

export const OptionFields = ({ onChange, options, usualPriority, wrong }: OptionFieldsProps) => {
  const row = { wrong }
  return (
    <div class="options">
      <Row {...row} label={form.start} place="start">
        {(own) => (
          <select
            {...own}
            value={options.start}
            // safe: the values are those of the options below
            onChange={(event) => onChange({ start: event.currentTarget.value as Start })}
          >
            {(["now", "delay", "at"] as const).map((one) => <option key={one} value={one}>{form.starts[one]}</option>)}
          </select>
        )}
      </Row>
      {options.start === "delay"
        ? (
          <div class="pair">
            <Row {...row} label={form.delay} place="delay">
              {(own) => (
                <input
                  {...own}
                  type="text"
                  inputmode="decimal"
                  value={options.delay}
                  onInput={(event) => onChange({ delay: event.currentTarget.value })}
                />
              )}
            </Row>
            <Row {...row} label={form.unit} place="unit">
              {(own) => (
                <select
                  {...own}
                  value={options.unit}
                  // safe: the values are those of the options below
                  onChange={(event) => onChange({ unit: event.currentTarget.value as Unit })}
                >
                  {(["s", "m", "h", "d"] as const).map((one) => <option key={one} value={one}>{form.units[one]}
                  </option>)}
                </select>
              )}
            </Row>
          </div>
        )
        : null}
      {options.start === "at"
        ? (
          <Row {...row} label={form.at} place="runAt" note={form.local}>
            {(own) => (
              <input
                {...own}
                type="datetime-local"
                step="1"
                value={options.at}
                onInput={(event) => onChange({ at: event.currentTarget.value })}
              />
            )}
          </Row>
        )
        : null}
      <Row {...row} label={form.priority} place="priority" note={form.priorityNote(usualPriority)}>
        {(own) => (
          <input
            {...own}
            type="text"
            inputmode="numeric"
            autocomplete="off"
            value={options.priority}
            onInput={(event) => onChange({ priority: event.currentTarget.value })}
          />
        )}
      </Row>
      <Row {...row} label={form.key} place="idempotencyKey" note={form.keyNote}>
        {(own) => (
          <input
            {...own}
            type="text"
            autocomplete="off"
            spellcheck={false}
            value={options.key}
            onInput={(event) => onChange({ key: event.currentTarget.value })}
          />
        )}
      </Row>
      <Row {...row} label={form.tags} place="tags" note={form.tagsNote}>
        {(own) => (
          <textarea
            {...own}
            class="mono"
            rows={2}
            spellcheck={false}
            value={options.tags}
            onInput={(event) => onChange({ tags: event.currentTarget.value })}
          />
        )}
      </Row>
    </div>
  )
}
