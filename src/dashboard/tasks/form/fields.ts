/**
 * A payload's JSON Schema as fields of a form: objects, texts, numbers, choices, moments, lists, what may be missing or null.
 * What a form cannot ask for is asked for as JSON. Pure.
 */

interface Shared {
  readonly description: string | null
  readonly required: boolean
  readonly nullable: boolean
  /** Not shown while it is typed. */
  readonly secret: boolean
  /** What stands there at first; undefined for nothing. */
  readonly initial: unknown
}

type Kind =
  | { readonly kind: "text" | "moment" | "number" | "whole" | "switch" | "json" }
  | { readonly kind: "choice"; readonly choices: ReadonlyArray<string | number | boolean> }
  | { readonly kind: "group"; readonly fields: ReadonlyArray<readonly [string, Field]> }
  | { readonly kind: "list"; readonly item: Field }

export type Field = Shared & Kind

export type Group = Extract<Field, { readonly kind: "group" }>

type Node = Readonly<Record<string, unknown>>

// Deeper, or of more parts, it is read more easily as JSON.
const maxDepth = 4
const maxFields = 60

export const isFields = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const nodes = (value: unknown): ReadonlyArray<Node> => Array.isArray(value) ? value.filter(isFields) : []

const isScalar = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

const definitions = "#/$defs/"
const unescaped = (name: string): string => name.replaceAll("~1", "/").replaceAll("~0", "~")

/** With what its references say, which it may say more precisely itself. */
const resolved = (root: Node, node: Node, depth = 0): Node => {
  const { $ref, allOf, ...own } = node
  if (depth > 8) return own
  const name = typeof $ref === "string" && $ref.startsWith(definitions) ? $ref.slice(definitions.length) : undefined
  const defs = root["$defs"]
  const found = name !== undefined && isFields(defs) ? defs[unescaped(name)] : undefined
  const parts = [...isFields(found) ? [found] : [], ...nodes(allOf)].map((part) => resolved(root, part, depth + 1))
  return Object.assign({}, ...parts, own)
}

// What Effect says of a schema that says nothing itself: no news beside the field.
const dull =
  /^(a|an) (string|number|boolean|integer|non empty string)$|^a string to be decoded into a (Date|DateTime\.Utc)$/

const describe = ({ description }: Node): string | null =>
  typeof description === "string" && !dull.test(description) ? description : null

const choicesOf = (node: Node): ReadonlyArray<unknown> | null =>
  Array.isArray(node["enum"]) ? node["enum"] : "const" in node ? [node["const"]] : null

/** The members of a union, those of unions in it too. */
const membersOf = (root: Node, node: Node, depth = 0): ReadonlyArray<Node> =>
  [...nodes(node["anyOf"]), ...nodes(node["oneOf"])].map((member) => resolved(root, member)).flatMap((member) => {
    const inner = depth > 4 ? [] : membersOf(root, member, depth + 1)
    return inner.length === 0 ? [member] : inner
  })

/** The alternatives, without null and with alternatives of choices put together. */
const alternatives = (root: Node, node: Node): { readonly nullable: boolean; readonly rest: ReadonlyArray<Node> } => {
  const given = membersOf(root, node)
  const rest = given.filter(({ type }) => type !== "null")
  const choices = rest.map(choicesOf)
  return {
    nullable: rest.length < given.length,
    rest: rest.length > 1 && choices.every((some) => some !== null) ? [{ enum: choices.flat() }] : rest
  }
}

const initialOf = (field: Field): unknown => {
  if (field.nullable && field.required) return null
  if (!field.required) return undefined
  switch (field.kind) {
    case "switch":
      return false
    case "choice":
      return field.choices.length === 1 ? field.choices[0] : undefined
    case "list":
      return []
    case "group":
      return valueOf(field)
    default:
      return undefined
  }
}

/** An object with what its fields begin with. */
export const valueOf = ({ fields }: Group): Node =>
  Object.fromEntries(
    fields.flatMap(([name, { initial }]) => initial === undefined ? [] : [[name, initial]])
  )

const kindOf = (root: Node, node: Node, depth: number): Kind => {
  const choices = choicesOf(node)
  if (choices !== null) {
    const some = choices.filter(isScalar)
    return some.length > 0 && some.length === choices.filter((one) => one !== null).length
      ? { kind: "choice", choices: some }
      : { kind: "json" }
  }
  switch (node["type"]) {
    case "string":
      return { kind: node["format"] === "date-time" ? "moment" : "text" }
    case "number":
      return { kind: "number" }
    case "integer":
      return { kind: "whole" }
    case "boolean":
      return { kind: "switch" }
    case "array": {
      const { items } = node
      if (!isFields(items) || depth >= maxDepth) return { kind: "json" }
      const item = fieldOf(root, items, true, depth + 1)
      return item.kind === "json" ? { kind: "json" } : { kind: "list", item }
    }
    case "object": {
      const { additionalProperties, patternProperties, properties } = node
      const names = isFields(properties) ? Object.entries(properties) : []
      const isOpen = isFields(additionalProperties) || additionalProperties === true || isFields(patternProperties)
      if (isOpen || depth >= maxDepth || names.length > maxFields) return { kind: "json" }
      const required = Array.isArray(node["required"]) ? node["required"] : []
      return {
        kind: "group",
        fields: names.map(([name, inner]) => [
          name,
          fieldOf(root, isFields(inner) ? inner : {}, required.includes(name), depth + 1)
        ])
      }
    }
    default:
      return { kind: "json" }
  }
}

const fieldOf = (root: Node, given: Node, required: boolean, depth: number): Field => {
  const node = resolved(root, given)
  const { nullable, rest } = alternatives(root, node)
  const [only, ...others] = rest
  const inner = only !== undefined && others.length === 0 ? { ...node, ...only } : node
  const isSecret = (one: Node) => one["writeOnly"] === true && one["format"] === "password"
  const field: Field = {
    ...others.length > 0 ? { kind: "json" as const } : kindOf(root, inner, depth),
    description: describe(node) ?? describe(inner),
    required,
    nullable: nullable || choicesOf(inner)?.includes(null) === true,
    secret: isSecret(node) || isSecret(inner),
    initial: undefined
  }
  return { ...field, initial: "default" in node ? node["default"] : initialOf(field) }
}

/** The form of a payload; null when it has none, and is written as JSON. */
export const formOf = (schema: unknown): Group | null => {
  if (!isFields(schema)) return null
  const field = fieldOf(schema, schema, true, 0)
  return field.kind === "group" ? field : null
}

/** Whether the field can show this value; else that part is shown as JSON. */
export const fits = (field: Field, value: unknown): boolean => {
  if (value === undefined || field.nullable && value === null) return true
  switch (field.kind) {
    case "text":
    case "moment":
      return typeof value === "string"
    // A number that is still being typed is a text.
    case "number":
    case "whole":
      return typeof value === "number" || typeof value === "string"
    case "switch":
      return typeof value === "boolean"
    case "choice":
      return field.choices.some((choice) => choice === value)
    case "list":
      return Array.isArray(value) && value.length <= 100
    case "group":
      // What no field is for would not be seen.
      return isFields(value) && Object.keys(value).every((name) => field.fields.some(([known]) => known === name))
    case "json":
      return true
  }
}
