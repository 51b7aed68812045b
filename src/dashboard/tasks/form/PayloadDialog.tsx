/** Asks for a payload, in fields or as JSON, and sends it: what the server refuses is said at the field that it is about. */
import "../task.css"
import type { ComponentChildren } from "preact"
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks"
import { type ApiProblem, isProblem } from "../../api/problem.js"
import type { EnqueueBody } from "../../api/types.js"
import * as format from "../../text/format.js"
import { words } from "../../text/task.js"
import { Button } from "../../ui/controls.js"
import { copy } from "../../ui/copy.js"
import { Dialog } from "../../ui/Dialog.js"
import { formOf, valueOf } from "./fields.js"
import { focusFirst, placed } from "./focus.js"
import { OptionFields } from "./OptionFields.js"
import * as Options from "./options.js"
import { begin, PayloadEditor, type Written } from "./PayloadEditor.js"
import { shownPlaces, type Wrong, wrongIn } from "./place.js"

const { form: said } = words

interface PayloadDialogProps {
  readonly title: string
  readonly body?: ComponentChildren
  readonly submit: string
  readonly submitting: string
  /** JSON Schema of the payload; null where there is none. */
  readonly schema: unknown
  /** What it begins with; undefined for what the form begins with. */
  readonly payload?: unknown
  readonly isKept?: (value: unknown) => boolean
  /** The priority without one; undefined where there are no options. */
  readonly usualPriority?: number
  /** Where the request goes. */
  readonly url: URL
  readonly send: (body: EnqueueBody) => Promise<void>
  readonly onClose: () => void
}

interface Trouble {
  readonly payload: ReadonlyArray<Wrong>
  readonly options: ReadonlyArray<Wrong>
  /** What is about no field. */
  readonly whole: string | null
}

const none: Trouble = { payload: [], options: [], whole: null }
const nothingKept = (): boolean => false

/** The server's words without the name of the task and of the place, which stand beside them. */
const messageOf = ({ details, message }: ApiProblem, path: string): string => {
  const before = `${String(details["task"])}: ${path === "" ? "payload" : path}: `
  return format.sentence(message.startsWith(before) ? message.slice(before.length) : message)
}

const troubleOf = (error: unknown, places: ReadonlyArray<string>): Trouble => {
  if (!isProblem(error)) return { ...none, whole: String(error) }
  const { path } = error.details
  if (error.tag !== "TaskArgumentError" || typeof path !== "string") {
    return { ...none, whole: format.sentence(error.message) }
  }
  const wrong = [{ path, message: messageOf(error, path) }]
  const option = Options.places.find((place) => path === place || path.startsWith(`${place}.`))
  return option !== undefined && !places.includes(path)
    ? { ...none, options: wrong }
    : { ...none, payload: placed(wrong, places) }
}

export const PayloadDialog = (props: PayloadDialogProps) => {
  const { body, isKept = nothingKept, onClose, payload, schema, send, submit, submitting, title, url, usualPriority } =
    props
  const form = useMemo(() => formOf(schema), [schema])
  const [written, setWritten] = useState<Written>(() =>
    begin(form, payload === undefined ? form === null ? {} : valueOf(form) : payload)
  )
  const [options, setOptions] = useState(Options.noOptions)
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState(none)
  const [tried, setTried] = useState(0)
  const root = useRef<HTMLFormElement>(null)

  // Whoever opens it wants to write.
  useEffect(() => focusFirst(root.current, "place", []), [])
  useEffect(() => {
    if (tried === 0) return
    if (trouble.payload.length > 0) focusFirst(root.current, "place", trouble.payload)
    else focusFirst(root.current, "option", trouble.options)
  }, [tried])

  const refuse = (next: Trouble): void => {
    setTrouble(next)
    if (next.options.length > 0) setOpen(true)
    setTried((before) => before + 1)
  }

  const asked = Options.read(options, said)
  const request: EnqueueBody = { payload: written.value, ...asked.body }
  const change = useCallback((how: (before: Written) => Written) => setWritten(how), [])

  const go = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (busy) return
    if (written.broken !== null) {
      return refuse({ ...none, payload: [{ path: "", message: said.broken(written.broken) }] })
    }
    const places = form === null || written.mode === "json" ? [""] : shownPlaces(form, written.value)
    const wrong = form === null || written.mode === "json"
      ? []
      : wrongIn(form, written.value, [], { isKept, words: said })
    if (wrong.length > 0 || asked.wrong.length > 0) return refuse({ payload: wrong, options: asked.wrong, whole: null })
    setBusy(true)
    setTrouble(none)
    try {
      await send(request)
      onClose()
    } catch (error) {
      setBusy(false)
      refuse(troubleOf(error, places))
    }
  }

  return (
    <Dialog wide title={title} onClose={onClose} binding={busy}>
      <form class="payload-form" ref={root} noValidate onSubmit={(event) => void go(event)}>
        {body}
        <PayloadEditor form={form} written={written} wrong={trouble.payload} isKept={isKept} onChange={change} />
        {usualPriority === undefined ?
          null :
          (
            <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
              <summary>{said.options}</summary>
              <OptionFields
                options={options}
                wrong={trouble.options}
                usualPriority={usualPriority}
                onChange={(changes) => setOptions((before) => ({ ...before, ...changes }))}
              />
            </details>
          )}
        {trouble.whole === null ? null : <p class="trouble" role="alert">{trouble.whole}</p>}
        <div class="actions">
          <Button icon="copy" onClick={() => void copy(Options.curlOf(url.href, request))}>{said.curl}</Button>
          <span class="grow" />
          <Button onClick={onClose} disabled={busy}>{said.cancel}</Button>
          <button type="submit" class="btn primary" aria-disabled={busy ? true : undefined}>
            {busy ? submitting : submit}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
