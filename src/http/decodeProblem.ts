/**
 * 400: a parameter or a body does not fit. The error of `@effect/platform`, with a message for people: its own prints the
 * whole schema, and an issue for each alternative of each place.
 */
import { HttpApiDecodeError } from "@effect/platform/HttpApiError"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as Schema from "effect/Schema"
import { cut } from "../internal/shown.js"

type Issue = (typeof HttpApiDecodeError.Type)["issues"][number]

const maxMessage = 500

const expectation = /^Expected (.+), actual (.*)$/s

// Of an optional place, what else it might be is no help.
const isAbsence = ({ message }: Issue): boolean => expectation.exec(message)?.[1] === "undefined"

/** The issues of one place as one sentence. */
const sentence = (place: string, messages: ReadonlyArray<string>): string => {
  const expected = messages.flatMap((message) => expectation.exec(message)?.[1] ?? [])
  const actual = cut(expectation.exec(messages[0] ?? "")?.[2] ?? "")
  const said = expected.length < messages.length
    ? messages.find((message) => !expectation.test(message))
    : `${expected.length === 1 ? "" : "one of "}${expected.join(", ")} is expected, not ${actual}`
  return place === "" ? `${said}` : `${cut(place)}: ${said}`
}

const messageOf = (issues: ReadonlyArray<Issue>): string => {
  const byPlace = new Map<string, Array<string>>()
  for (const { message, path } of issues) {
    const place = path.map(String).join(".")
    byPlace.set(place, [...byPlace.get(place) ?? [], message])
  }
  return [...byPlace].map(([place, messages]) => sentence(place, messages)).join("; ")
}

// A name that one alternative does not have is no news where another one has it, and found something else wrong there.
const isOfAnother = (issue: Issue, issues: ReadonlyArray<Issue>): boolean =>
  issue._tag === "Unexpected" &&
  issues.some(({ _tag, path }) =>
    issue.path.every((step, index) => step === path[index]) &&
    (_tag !== "Unexpected" || path.length > issue.path.length)
  )

// It repeats what was sent, which may be as long as a body.
const bounded = (issue: Issue): Issue =>
  issue.message.length <= maxMessage ? issue : { ...issue, message: `${issue.message.slice(0, maxMessage)} … (cut)` }

const told = (issues: ReadonlyArray<Issue>): ReadonlyArray<Issue> => {
  const some = issues.filter((issue) => !isAbsence(issue) && !isOfAnother(issue, issues))
  return (some.length > 0 ? some : issues).map(bounded)
}

export const DecodeProblem = Schema.transform(
  Schema.TaggedStruct("HttpApiDecodeError", {
    message: Schema.String,
    issues: HttpApiDecodeError.fields.issues
  }),
  Schema.typeSchema(HttpApiDecodeError),
  {
    strict: true,
    decode: ({ issues, message }) => new HttpApiDecodeError({ issues, message }),
    encode: ({ issues }) => ({
      _tag: "HttpApiDecodeError" as const,
      message: messageOf(told(issues)),
      issues: told(issues)
    })
  }
).annotations(HttpApiSchema.annotations({
  identifier: "HttpApiDecodeError",
  status: 400,
  description: "A parameter or a body does not fit"
}))
