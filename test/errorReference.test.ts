/** docs/reference/errors.md has a row for every error, with its fields and, over HTTP, its status. */
import * as fs from "node:fs"
import * as path from "node:path"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import { describe, expect, it } from "@effect/vitest"
import type { Schema } from "effect"
import { Predicate } from "effect"
import { TaskAuth } from "effect-taskflow/http"
import * as AuthProblem from "../src/http/auth/AuthProblem.js"
import { DecodeProblem } from "../src/http/decodeProblem.js"
import * as StreamProblem from "../src/http/stream/problem.js"
import * as TaskProblem from "../src/http/TaskProblem.js"
import * as TaskError from "../src/TaskError.js"

const root = path.resolve(import.meta.dirname, "..")
const page = fs.readFileSync(path.join(root, "docs/reference/errors.md"), "utf8")

interface ErrorClass {
  readonly _tag: string
  readonly fields: Schema.Struct.Fields
  readonly ast: Schema.Schema.Any["ast"]
}

const isErrorClass = (value: unknown): value is ErrorClass =>
  typeof value === "function" && Predicate.hasProperty(value, "_tag") && Predicate.hasProperty(value, "fields")

const classesOf = (module: object): ReadonlyArray<ErrorClass> => Object.values(module).filter(isErrorClass)

/** Of the rows of a table with this many columns: the cells, without their marks. */
const rows = (columns: number): ReadonlyMap<string, ReadonlyArray<string>> =>
  new Map(
    page.split("\n").flatMap((line) => {
      const cells = line.startsWith("| `") ? line.slice(2, -2).split(" | ") : []
      return cells.length === columns ? [[cells[0]!.replaceAll("`", ""), cells] as const] : []
    })
  )

const fieldsIn = (cell: string): ReadonlyArray<string> => cell.replaceAll("`", "").split(", ").sort()

const fieldsOf = ({ fields }: ErrorClass): ReadonlyArray<string> =>
  Object.keys(fields).filter((name) => name !== "_tag").sort()

const ofCalls = classesOf(TaskError)
const ofHttp = [TaskProblem, AuthProblem, StreamProblem].flatMap(classesOf)

describe("docs/reference/errors.md", () => {
  it("has every error of a call, and no other", () => {
    const known = rows(4)
    expect([...known.keys()].sort()).toEqual(ofCalls.map(({ _tag }) => _tag).sort())
    for (const one of ofCalls) expect(fieldsIn(known.get(one._tag)![2]!), one._tag).toEqual(fieldsOf(one))
  })

  it("has every error of HTTP, and no other, with its status", () => {
    const known = rows(5)
    const names = [...ofHttp.map(({ _tag }) => _tag), "HttpApiDecodeError"]
    expect([...known.keys()].sort()).toEqual(names.sort())
    for (const one of ofHttp) {
      expect(fieldsIn(known.get(one._tag)![3]!), one._tag).toEqual(fieldsOf(one))
      expect(known.get(one._tag)![1], one._tag).toBe(String(HttpApiSchema.getStatusErrorAST(one.ast)))
    }
    expect(known.get("HttpApiDecodeError")![1]).toBe(String(HttpApiSchema.getStatusErrorAST(DecodeProblem.ast)))
  })

  it("names those of a call that HTTP sends", () => {
    const sent = Object.entries(TaskProblem).filter(([name, value]) => !isErrorClass(value) && name in TaskError)
    for (const [name] of sent) expect(page).toContain(`\`${name}\``)
    expect(sent.length).toBe(9)
    expect(page).toContain(`\`${TaskAuth.TaskAuthUnavailable._tag}\``)
  })

  it("knows every file with errors that leave the package", () => {
    const files = fs.readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .filter((file) => fs.readFileSync(path.join(root, "src", file), "utf8").includes("extends Schema.TaggedError<"))
    expect(files.sort()).toEqual([
      "TaskError.ts",
      "http/TaskProblem.ts",
      "http/auth/AuthProblem.ts",
      "http/auth/known.ts",
      "http/stream/problem.ts"
    ])
  })
})
