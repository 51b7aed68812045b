/**
 * The span that a task was enqueued in, as the text that is stored with it: a W3C `traceparent`, and behind a space its
 * `tracestate` where there is one. Pure.
 *
 * What is read may be of anybody: text that is anything else stands for no span.
 */
import * as Context from "effect/Context"
import * as Tracer from "effect/Tracer"

/** What the text says. */
export interface StoredTrace {
  /** 32 hexadecimal digits. */
  readonly traceId: string
  /** 16 hexadecimal digits. */
  readonly spanId: string
  readonly sampled: boolean
  /** The `tracestate` header, or null. */
  readonly state: string | null
}

// What every system must pass on, says the specification. Of more than that the last members go first.
const maxState = 512
const maxMembers = 32
const parentLength = 55

const parentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/
const traceIdForm = /^(?!0{32})[0-9a-f]{32}$/
const spanIdForm = /^(?!0{16})[0-9a-f]{16}$/
const memberForm = /^[a-z0-9][-a-z0-9_*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

// The keys of @effect/opentelemetry's tags: known by name, so that the engine loads no OpenTelemetry.
const flagsTag = Context.GenericTag<"OtelTraceFlags", number>("@effect/opentelemetry/Tracer/OtelTraceFlags")
const stateTag = Context.GenericTag<"OtelTraceState", TraceState>("@effect/opentelemetry/Tracer/OtelTraceState")

// As OpenTelemetry has it: what changes is a copy.
interface TraceState {
  readonly get: (key: string) => string | undefined
  readonly set: (key: string, value: string) => TraceState
  readonly unset: (key: string) => TraceState
  readonly serialize: () => string
}

const keyOf = (member: string): string => member.slice(0, member.indexOf("="))

const traceState = (members: ReadonlyArray<string>): TraceState => {
  const without = (key: string) => members.filter((member) => keyOf(member) !== key)
  return {
    get: (key) => members.find((member) => keyOf(member) === key)?.slice(key.length + 1),
    set: (key, value) => traceState([`${key}=${value}`, ...without(key)]),
    unset: (key) => traceState(without(key)),
    serialize: () => members.join(",")
  }
}

const membersOf = (state: string): ReadonlyArray<string> => state.split(",").map((member) => member.trim())

const fitting = (state: string): string | null => {
  const members = membersOf(state.slice(0, 8 * maxState)).filter((member) => memberForm.test(member))
  let text = ""
  for (const member of members.slice(0, maxMembers)) {
    const longer = text === "" ? member : `${text},${member}`
    if (longer.length > maxState) break
    text = longer
  }
  return text === "" ? null : text
}

interface OtelSpan {
  readonly span: { readonly spanContext: () => { readonly traceState?: TraceState } }
}

// safe: asked of whatever the span has by that name, and used only when it is what OpenTelemetry has there
const isOfOtel = (span: object): span is OtelSpan =>
  typeof (span as { span?: { spanContext?: unknown } }).span?.spanContext === "function"

// A span of another tracer does not know the state that came with the span it descends from.
const stateOf = (span: Tracer.AnySpan): string | null => {
  let at = span
  while (at._tag === "Span" && !isOfOtel(at) && at.parent._tag === "Some") at = at.parent.value
  // safe: only @effect/opentelemetry and this module write under this key
  const state = isOfOtel(at)
    ? at.span.spanContext().traceState
    : at.context.unsafeMap.get(stateTag.key) as TraceState | undefined
  return state === undefined ? null : fitting(state.serialize())
}

/** The text for a span; null for one that is none (of a disabled tracer) or that has ids of another kind. */
export const write = (span: Tracer.AnySpan): string | null => {
  if (!traceIdForm.test(span.traceId) || !spanIdForm.test(span.spanId)) return null
  const parent = `00-${span.traceId}-${span.spanId}-${span.sampled ? "01" : "00"}`
  const state = stateOf(span)
  return state === null ? parent : `${parent} ${state}`
}

/** What a stored text says, or null. */
export const read = (text: string | null): StoredTrace | null => {
  if (text === null || text.length > parentLength + 1 + maxState) return null
  const found = parentForm.exec(text.slice(0, parentLength))
  if (found === null || (text.length > parentLength && text[parentLength] !== " ")) return null
  const [, traceId, spanId, flags] = found
  if (!traceIdForm.test(traceId!) || !spanIdForm.test(spanId!)) return null
  return {
    traceId: traceId!,
    spanId: spanId!,
    sampled: (Number.parseInt(flags!, 16) & 1) === 1,
    state: fitting(text.slice(parentLength + 1))
  }
}

/** The span that is meant, as a parent or a link. */
export const toSpan = ({ sampled, spanId, state, traceId }: StoredTrace): Tracer.ExternalSpan => {
  const flags = Context.make(flagsTag, sampled ? 1 : 0)
  // safe: a span's context is read by tag, nothing requires what is in it
  const context =
    (state === null ? flags : Context.add(flags, stateTag, traceState(membersOf(state)))) as Context.Context<
      never
    >
  return Tracer.externalSpan({ traceId, spanId, sampled, context })
}
