/**
 * The reference of the HTTP API, made from its OpenAPI document: `npm run docs:http` writes docs/reference/http.md. A test
 * compares the two.
 */
import { writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { OpenApi } from "@effect/platform"
import { TaskApi } from "effect-taskflow/http"

interface Schema {
  readonly $ref?: string
  readonly type?: string | ReadonlyArray<string>
  readonly enum?: ReadonlyArray<unknown>
  readonly items?: Schema
  readonly anyOf?: ReadonlyArray<Schema>
  readonly allOf?: ReadonlyArray<Schema>
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: Schema | boolean
  readonly description?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly pattern?: string
  readonly format?: string
  readonly minItems?: number
  readonly maxItems?: number
}

interface Operation {
  readonly description?: string
  readonly parameters?: ReadonlyArray<{
    readonly name: string
    readonly in: string
    readonly required: boolean
    readonly schema: Schema
    readonly description?: string
  }>
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >
}

const nameOf = ($ref: string): string => decodeURIComponent($ref.slice($ref.lastIndexOf("/") + 1))

const linked = (name: string): string => `[${name}](#${name.toLowerCase()})`

const typeOf = (schema: Schema): string => {
  if (schema.$ref !== undefined) return linked(nameOf(schema.$ref))
  const some = schema.anyOf ?? schema.allOf
  if (some !== undefined) return [...new Set(some.map(typeOf))].join(" \\| ")
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(" \\| ")
  if (schema.type === "array") {
    const items = schema.items === undefined ? "anything" : typeOf(schema.items)
    return items.includes(" ") ? `list of (${items})` : `list of ${items}`
  }
  if (schema.format === "date-time") return "time"
  if (schema.type === "integer" || schema.type === "number") {
    const range = schema.minimum === undefined && schema.maximum === undefined
      ? ""
      : `, ${schema.minimum ?? "…"} to ${schema.maximum ?? "…"}`
    return `${schema.type === "integer" ? "whole number" : "number"}${range}`
  }
  if (schema.type === "object" && schema.properties !== undefined) {
    return `{ ${
      Object.entries(schema.properties).map(([key, value]) =>
        `${key}${schema.required?.includes(key) === true ? "" : "?"}: ${typeOf(value)}`
      ).join(", ")
    } }`
  }
  if (typeof schema.type === "object") return "anything"
  if (schema.type === "object") return "object"
  return schema.type === "string" ? "text" : schema.type ?? "anything"
}

const cell = (text: string | undefined): string => (text ?? "").replaceAll("\n", " ")

const fields = (schema: Schema): ReadonlyArray<string> =>
  schema.properties === undefined ? [typeOf(schema)] : [
    "| field | | |",
    "|---|---|---|",
    ...Object.entries(schema.properties).map(([key, value]) =>
      `| \`${key}\` | ${typeOf(value)}${schema.required?.includes(key) === true ? "" : ", optional"} | ${
        cell(value.description)
      } |`
    )
  ]

const operation = (method: string, path: string, one: Operation): ReadonlyArray<string> => {
  const parameters = one.parameters ?? []
  const body = Object.values(one.requestBody?.content ?? {})[0]?.schema
  return [
    `### ${method.toUpperCase()} ${path}`,
    "",
    ...one.description === undefined || one.description === "" ? [] : [one.description, ""],
    ...parameters.length === 0 ? [] : [
      "| parameter | | |",
      "|---|---|---|",
      ...parameters.map(({ description, in: place, name, required, schema }) =>
        `| \`${name}\` | ${place === "path" ? "in the path, " : ""}${typeOf(schema)}${
          required || place === "path" ? "" : ", optional"
        } | ${cell(description ?? schema.description)} |`
      ),
      ""
    ],
    ...body === undefined ? [] : ["Body:", "", ...fields(body), ""],
    "| answer | |",
    "|---|---|",
    ...Object.entries(one.responses).map(([status, { content }]) =>
      `| ${status} | ${
        Object.entries(content ?? {}).map(([type, { schema }]) =>
          type === "application/json" ? typeOf(schema) : `\`${type}\``
        ).join(", ") || "nothing"
      } |`
    ),
    ""
  ]
}

/** The page as Markdown. */
export const render = (): string => {
  const spec = OpenApi.fromApi(TaskApi.make())
  const paths = Object.entries(spec.paths).flatMap(([path, methods]) =>
    // safe: the part of the document that is read here
    Object.entries(methods).flatMap(([method, one]) => operation(method, path, one as unknown as Operation))
  )
  const shapes = Object.entries(spec.components.schemas).sort(([a], [b]) => a < b ? -1 : 1).flatMap((
    [name, schema]
  ) => [
    `### ${name}`,
    "",
    ...cell((schema as Schema).description) === "" ? [] : [cell((schema as Schema).description), ""],
    ...fields(schema as Schema),
    ""
  ])
  return [
    "# HTTP reference",
    "",
    "Made from the OpenAPI document, which every server gives at `/tasks/openapi.json`. What the words mean is in the",
    "[HTTP guide](../guide/http.md).",
    "",
    "## Endpoints",
    "",
    ...paths,
    "## Shapes",
    "",
    ...shapes
  ].join("\n").trimEnd() + "\n"
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(fileURLToPath(new URL("../docs/reference/http.md", import.meta.url)), render())
}
