/** The fields of a payload: groups and lists of what is in them. */
import { words } from "../../text/task.js"
import { Button, IconButton } from "../../ui/controls.js"
import { type PartProps, useField } from "./control.js"
import { type Field, fits, type Group, isFields, valueOf } from "./fields.js"
import type { Path } from "./place.js"
import { About, Scalar } from "./Scalars.js"

const { form } = words

/** What an object, a list or a member of one begins with. */
const begun = (field: Field): unknown =>
  field.kind === "group"
    ? valueOf(field)
    : field.kind === "list"
    ? []
    : field.initial ?? (field.kind === "text" ? "" : null)

const isGiven = (value: unknown): boolean => value !== undefined && value !== null

const Legend = ({ name, used, ...props }: PartProps & { readonly used: ReturnType<typeof useField> }) => {
  const { field, value } = props
  return (
    <legend>
      {field.required && !field.nullable ?
        (
          <>
            {name} <span class="need">{form.required}</span>
          </>
        ) :
        (
          <label class="check">
            <input
              type="checkbox"
              aria-label={form.give(name)}
              checked={isGiven(value)}
              onChange={(event) =>
                used.change(event.currentTarget.checked ? begun(field) : field.required ? null : undefined)}
            />
            {name}
            {field.nullable && value === null ? <span class="need">{form.isNull}</span> : null}
          </label>
        )}
    </legend>
  )
}

const GroupPart = (props: PartProps & { readonly field: Group }) => {
  const used = useField(props)
  const { field, path, value } = props
  return (
    <fieldset
      class={isGiven(value) ? "part" : "part off"}
      tabIndex={-1}
      data-place={used.place}
      aria-describedby={used.own["aria-describedby"]}
    >
      <Legend {...props} used={used} />
      <About field={field} used={used} />
      {isFields(value) ? <Fields form={field} path={path} value={value} /> : null}
    </fieldset>
  )
}

const ListPart = (props: PartProps & { readonly field: Extract<Field, { readonly kind: "list" }> }) => {
  const used = useField(props)
  const { field, name, path, value } = props
  const items: ReadonlyArray<unknown> = Array.isArray(value) ? value : []
  return (
    <fieldset
      class={isGiven(value) ? "part" : "part off"}
      tabIndex={-1}
      data-place={used.place}
      aria-describedby={used.own["aria-describedby"]}
    >
      <Legend {...props} used={used} />
      <About field={field} used={used} />
      {items.map((item, index) => {
        const own = form.item(name, index)
        return (
          <div key={index} class="item">
            <Part name={own} path={[...path, index]} field={{ ...field.item, required: true }} value={item} />
            <IconButton
              small
              kind="quiet"
              icon="close"
              label={form.remove(own)}
              onClick={() => used.change(items.filter((_, at) => at !== index))}
            />
          </div>
        )
      })}
      {Array.isArray(value)
        ? <Button small onClick={() => used.change([...items, begun(field.item)])}>{form.add(name)}</Button>
        : null}
    </fieldset>
  )
}

const Part = (props: PartProps) => {
  const { field, value } = props
  // What a field is not made for is shown as it is.
  if (field.kind === "group" && fits(field, value)) return <GroupPart {...props} field={field} />
  if (field.kind === "list" && fits(field, value)) return <ListPart {...props} field={field} />
  return <Scalar {...props} />
}

interface FieldsProps {
  readonly form: Group
  readonly path: Path
  readonly value: unknown
}

export const Fields = ({ form: { fields }, path, value }: FieldsProps) => (
  <>
    {fields.map(([name, field]) => (
      <Part
        key={name}
        name={name}
        path={[...path, name]}
        field={field}
        value={isFields(value) && Object.hasOwn(value, name) ? value[name] : undefined}
      />
    ))}
  </>
)
