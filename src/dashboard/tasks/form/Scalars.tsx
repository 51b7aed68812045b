/** Fields for one value: text, secret, number, moment, yes or no, a choice, and JSON for everything else. */
import type { ComponentChildren, JSX } from "preact"
import { useState } from "preact/hooks"
import { words } from "../../text/task.js"
import { type PartProps, type Used, useField } from "./control.js"
import { fits } from "./fields.js"

const { form } = words

interface FrameProps extends PartProps {
  readonly used: Used
  readonly children: ComponentChildren
  readonly note?: string | undefined
}

/** A label, the control, what is said of it, and what is wrong with it. */
const Frame = ({ children, field, name, note, used, value }: FrameProps) => (
  <div class="fld">
    <div class="fld-head">
      <label for={used.id}>{name}</label>
      {field.required ? <span class="need">{form.required}</span> : null}
      <span class="grow" />
      {field.nullable && field.kind !== "choice" && field.kind !== "switch"
        ? (
          <label class="check null">
            <input
              type="checkbox"
              aria-label={`${name}: ${form.isNull}`}
              checked={value === null}
              onChange={(event) => used.change(event.currentTarget.checked ? null : undefined)}
            />
            {form.isNull}
          </label>
        )
        : null}
    </div>
    {children}
    <About field={field} used={used} note={note} />
  </div>
)

export const About = (
  { field, note, used }: Pick<PartProps, "field"> & { readonly used: Used; readonly note?: string | undefined }
) => (
  <>
    {field.description === null && !used.kept && note === undefined
      ? null
      : (
        <p class="hint" id={`${used.id}h`}>
          {[...field.description === null ? [] : [field.description], ...used.kept ? [form.kept] : [], note ?? ""].join(
            " "
          )}
        </p>
      )}
    {used.trouble === undefined ? null : <p class="trouble" id={`${used.id}t`}>{used.trouble}</p>}
  </>
)

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : value === undefined || value === null ? "" : String(value)

const numberOf = (text: string): unknown => {
  const value = text.trim() === "" ? undefined : Number(text)
  return value === undefined || Number.isFinite(value) ? value : text
}

/** An empty text is nothing: whoever means it writes it as JSON. */
const Text = (props: PartProps) => {
  const used = useField(props)
  const { field, value } = props
  const isNumber = field.kind === "number" || field.kind === "whole"
  // What is typed may be on its way to a number: "1." is not taken away from under the hand.
  const [draft, setDraft] = useState("")
  const shown = isNumber && numberOf(draft) === value && draft !== "" ? draft : textOf(value)
  const own = {
    ...used.own,
    autocomplete: "off",
    spellcheck: false,
    disabled: value === null,
    value: shown,
    onFocus: (event: { readonly currentTarget: HTMLInputElement }) =>
      used.kept ? event.currentTarget.select() : undefined,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => {
      const text = event.currentTarget.value
      setDraft(text)
      used.change(isNumber ? numberOf(text) : text === "" ? undefined : text)
    }
  }
  return (
    <Frame {...props} used={used}>
      {field.secret
        ? <input type="password" {...own} />
        : <input type="text" inputmode={isNumber ? "decimal" : undefined} {...own} />}
    </Frame>
  )
}

const pad = (value: number): string => String(value).padStart(2, "0")

/** As the browser's own control has it, in the zone of the browser. */
export const localOf = (millis: number): string => {
  const at = new Date(millis)
  const day = `${String(at.getFullYear()).padStart(4, "0")}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`
  return `${day}T${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`
}

const Moment = (props: PartProps) => {
  const used = useField(props)
  const { value } = props
  const millis = typeof value === "string" ? Date.parse(value) : Number.NaN
  if (typeof value === "string" && Number.isNaN(millis)) return <Text {...props} />
  return (
    <Frame {...props} used={used} note={typeof value === "string" ? value : undefined}>
      <input
        {...used.own}
        type="datetime-local"
        step="1"
        disabled={value === null}
        value={Number.isNaN(millis) ? "" : localOf(millis)}
        onInput={(event) => {
          const at = Date.parse(event.currentTarget.value)
          used.change(Number.isNaN(at) ? undefined : new Date(at).toISOString())
        }}
      />
    </Frame>
  )
}

const Choice = (props: PartProps) => {
  const used = useField(props)
  const { field, value } = props
  const choices = field.kind === "choice" ? field.choices : [true, false]
  const at = value === undefined ? "" : value === null ? "null" : String(choices.findIndex((one) => one === value))
  const choose = (text: string): void =>
    used.change(text === "" ? undefined : text === "null" ? null : choices[Number(text)])
  return (
    <Frame {...props} used={used}>
      <select {...used.own} value={at} onChange={(event) => choose(event.currentTarget.value)}>
        {field.required && value !== undefined
          ? null
          : <option value="">{field.required ? form.choose : form.absent}</option>}
        {choices.map((one, index) => (
          <option key={index} value={String(index)}>
            {one === true ? form.yes : one === false ? form.no : String(one)}
          </option>
        ))}
        {field.nullable ? <option value="null">{form.isNull}</option> : null}
      </select>
    </Frame>
  )
}

const Switch = (props: PartProps) => {
  const used = useField(props)
  const { field, name, value } = props
  if (!field.required || field.nullable) return <Choice {...props} />
  return (
    <div class="fld">
      <label class="check">
        <input
          {...used.own}
          type="checkbox"
          checked={value === true}
          onChange={(event) => used.change(event.currentTarget.checked)}
        />
        {name}
      </label>
      <About field={field} used={used} />
    </div>
  )
}

const jsonOf = (value: unknown): string => value === undefined ? "" : JSON.stringify(value, null, 2)

/** A part that no field is for. */
const Json = (props: PartProps) => {
  const used = useField(props)
  const { value } = props
  const [draft, setDraft] = useState<{ readonly text: string; readonly of: unknown } | null>(null)
  const [broken, setBroken] = useState<string | null>(null)
  const type = (text: string): void => {
    try {
      const next: unknown = text.trim() === "" ? undefined : JSON.parse(text)
      setDraft({ text, of: next })
      setBroken(null)
      used.change(next)
    } catch (error) {
      // What stands there is a text until it is JSON; so nothing else is sent than what is seen.
      setDraft({ text, of: text })
      setBroken(error instanceof Error ? error.message : String(error))
      used.change(text)
    }
  }
  const isMine = draft !== null && JSON.stringify(draft.of) === JSON.stringify(value)
  return (
    <Frame {...props} used={used} note={isMine && broken !== null ? form.broken(broken) : form.asJson}>
      <textarea
        {...used.own}
        class="mono"
        rows={3}
        spellcheck={false}
        value={isMine ? draft.text : jsonOf(value)}
        onInput={(event) => type(event.currentTarget.value)}
      />
    </Frame>
  )
}

export const Scalar = (props: PartProps): JSX.Element => {
  const { field, value } = props
  if (!fits(field, value)) return field.secret && typeof value === "string" ? <Text {...props} /> : <Json {...props} />
  switch (field.kind) {
    case "moment":
      return field.secret ? <Text {...props} /> : <Moment {...props} />
    case "choice":
      return <Choice {...props} />
    case "switch":
      return <Switch {...props} />
    case "text":
    case "number":
    case "whole":
      return <Text {...props} />
    default:
      return <Json {...props} />
  }
}
