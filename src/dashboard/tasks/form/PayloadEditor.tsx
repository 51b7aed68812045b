/** A payload, in fields or as JSON: two views of one value. */
import { useId, useMemo } from "preact/hooks"
import { words } from "../../text/task.js"
import { Segments } from "../../ui/Segments.js"
import { FormContext } from "./control.js"
import { Fields } from "./Fields.js"
import { fits, type Group } from "./fields.js"
import { withPart, type Wrong } from "./place.js"

const { form: said } = words

export type Mode = "form" | "json"

export interface Written {
  readonly mode: Mode
  readonly value: unknown
  /** The JSON as it is typed; null while nobody types it. */
  readonly text: string | null
  /** Why that is none. */
  readonly broken: string | null
}

export const begin = (form: Group | null, value: unknown): Written => ({
  mode: form === null || !fits(form, value) ? "json" : "form",
  value,
  text: null,
  broken: null
})

interface PayloadEditorProps {
  readonly form: Group | null
  readonly written: Written
  readonly wrong: ReadonlyArray<Wrong>
  readonly isKept: (value: unknown) => boolean
  /** Told how it is changed, so that two changes at once are both made. */
  readonly onChange: (change: (before: Written) => Written) => void
}

const typed = (before: Written, text: string): Written => {
  try {
    return { ...before, text, value: JSON.parse(text), broken: null }
  } catch (error) {
    return { ...before, text, broken: error instanceof Error ? error.message : String(error) }
  }
}

const Json = ({ onChange, written, wrong }: Pick<PayloadEditorProps, "written" | "wrong" | "onChange">) => {
  const id = useId()
  const troubles = written.broken === null ? wrong : [{ path: "", message: said.broken(written.broken) }]
  return (
    <div class="fld">
      <label class="sr" for={id}>{said.payload}</label>
      <textarea
        id={id}
        data-place=""
        class="mono"
        rows={12}
        spellcheck={false}
        aria-invalid={troubles.length > 0 ? true : undefined}
        aria-describedby={troubles.length > 0 ? `${id}t` : undefined}
        value={written.text ?? JSON.stringify(written.value ?? {}, null, 2)}
        onInput={(event) => {
          const text = event.currentTarget.value
          onChange((before) => typed(before, text))
        }}
      />
      {troubles.length === 0 ? null : (
        <p class="trouble" id={`${id}t`}>
          {troubles.map(({ message, path }) => path === "" || message.includes(path) ? message : `${path}: ${message}`)
            .join(" ")}
        </p>
      )}
    </div>
  )
}

export const PayloadEditor = ({ form, isKept, onChange, written, wrong }: PayloadEditorProps) => {
  const { mode, value } = written
  const shared = useMemo(() => ({
    wrong: new Map(wrong.map(({ message, path }) => [path, message])),
    isKept,
    set: (path: ReadonlyArray<string | number>, part: unknown) =>
      onChange((before) => ({ ...before, value: withPart(before.value, path, part), text: null }))
  }), [wrong, isKept, onChange])
  const asForm = form !== null && fits(form, value) && written.broken === null
  const whole = wrong.find(({ path }) => path === "")
  return (
    <section class="payload">
      <div class="sec-head">
        <h3>{said.payload}</h3>
        <span class="grow" />
        {form === null ? <span class="dim">{said.noForm}</span> : (
          <Segments
            label={said.mode}
            at={mode}
            choices={asForm ? [["form", said.modes.form], ["json", said.modes.json]] : [["json", said.modes.json]]}
            onChoose={(next) => onChange((before) => ({ ...before, mode: next, text: null }))}
          />
        )}
      </div>
      {mode === "json" || form === null || !asForm
        ? <Json written={written} wrong={wrong} onChange={onChange} />
        : (
          <FormContext.Provider value={shared}>
            {form.fields.length === 0 ? <p class="dim">{said.noArguments}</p> : null}
            <Fields form={form} path={[]} value={value} />
            {whole === undefined ? null : <p class="trouble" role="alert">{whole.message}</p>}
          </FormContext.Provider>
        )}
    </section>
  )
}
