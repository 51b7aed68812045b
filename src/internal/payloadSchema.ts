/**
 * The JSON Schema of a payload's encoded form, for those who build forms: with what a plain one does not tell, which places are
 * secrets and which texts are moments. Pure.
 */
import * as JSONSchema from "effect/JSONSchema"
import * as Schema from "effect/Schema"
import type { Pattern } from "./redaction.js"

interface Node {
  [key: string]: unknown
}

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && !Array.isArray(value)

const nodesIn = (value: unknown): ReadonlyArray<Node> =>
  Array.isArray(value) ? value.filter(isNode) : isNode(value) ? [value] : []

// As OpenAPI says it.
const asSecret = { format: "password", writeOnly: true }

const definitions = "#/$defs/"
const unescaped = (name: string): string => name.replaceAll("~1", "/").replaceAll("~0", "~")

const resolved = (root: Node, node: Node): Node => {
  const { $ref } = node
  const name = typeof $ref === "string" && $ref.startsWith(definitions) ? $ref.slice(definitions.length) : undefined
  const found = name === undefined || !isNode(root["$defs"]) ? undefined : root["$defs"][unescaped(name)]
  return isNode(found) ? found : node
}

// A schema inside itself has patterns of its own, which end: no other bound is needed.
const mark = (root: Node, place: Node, pattern: Pattern): void => {
  const [step, ...rest] = pattern
  if (step === undefined) {
    Object.assign(place, asSecret)
    return
  }
  const node = resolved(root, place)
  // What is below is known to hold a secret somewhere: the whole is.
  if (step === "**") {
    Object.assign(place, asSecret)
    return
  }
  const members = [...nodesIn(node["anyOf"]), ...nodesIn(node["allOf"]), ...nodesIn(node["oneOf"])]
  for (const member of members) mark(root, member, pattern)
  const below = step === "[]"
    ? [...nodesIn(node["items"]), ...nodesIn(node["additionalItems"])]
    : step === "*"
    ? [
      ...nodesIn(node["additionalProperties"]),
      ...isNode(node["patternProperties"]) ? Object.values(node["patternProperties"]).filter(isNode) : []
    ]
    : isNode(node["properties"]) && Object.hasOwn(node["properties"], step)
    ? nodesIn(node["properties"][step])
    : []
  for (const inner of below) mark(root, inner, rest)
}

// What Effect says of the encoded side of its dates. There it is a text, and any text is one.
const isMoment = ({ description, format, type }: Node): boolean =>
  type === "string" && format === undefined && typeof description === "string" &&
  /^a string to be decoded into a (Date|DateTime\.Utc)$/.test(description)

const markMoments = (value: unknown): void => {
  if (Array.isArray(value)) return value.forEach(markMoments)
  if (!isNode(value)) return
  if (isMoment(value)) value["format"] = "date-time"
  Object.values(value).forEach(markMoments)
}

/** Null where a schema cannot be said so. */
export const make = (schema: Schema.Schema.Any, secrets: ReadonlyArray<Pattern>): unknown => {
  try {
    // A copy: a definition may stand in it more than once.
    const whole: unknown = structuredClone(JSONSchema.make(Schema.encodedBoundSchema(schema)))
    if (!isNode(whole)) return null
    for (const pattern of secrets) mark(whole, whole, pattern)
    markMoments(whole)
    return whole
  } catch {
    return null
  }
}
