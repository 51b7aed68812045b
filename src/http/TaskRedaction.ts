/**
 * Keeps secrets out of what people are shown: on the server, before anything is serialised. Pure but for the caller's own
 * function.
 *
 * Places typed `Schema.Redacted` are known from the definition and replaced before this. Here it is by looks: keys that are
 * named like secrets, and texts that look like one. It is a second net, not the first: what looks like nothing passes.
 */
import { placeholder } from "../internal/redaction.js"
import { isSealed, placeholder as encrypted } from "../internal/sealed.js"

/** What a value was part of. */
export interface Shown {
  readonly taskName: string
  readonly part: "payload" | "result" | "error" | "stacktrace" | "log" | "annotations" | "tags" | "progress"
}

/** How secrets are found. */
export interface RedactionOptions {
  /** Whether names and texts that look like secrets are replaced. Default true. */
  readonly secrets?: boolean | undefined
  /**
   * Called with every part of a task that is shown, after that; what it answers is shown. A part whose call throws, or
   * answers something that is not of the kind it was given (text for text), is replaced as a whole. Default: nothing more.
   */
  readonly redact?: ((value: unknown, shown: Shown) => unknown) | undefined
}

/** What is kept from view, as a function of what is shown. */
export interface Redaction {
  /** A text without what looks like a secret. */
  readonly text: (text: string, shown: Shown) => string
  /** A value without what is named, or looks, like a secret. */
  readonly json: (value: unknown, shown: Shown) => unknown
  /** Whether the application has a say: then it is asked about whole values. */
  readonly asks: boolean
}

const secretWords = [
  "passw(or)?d|passwd|passphrase|pwd",
  "secret|credential(s)?|private[-_]?key|signature",
  "(api|access|secret|session|auth|refresh|id|bearer|csrf|client|encryption)[-_]?(key|token|secret)",
  "token|authorization|cookie|set-cookie|session[-_]?id",
  "ssn|cvv|cvc|pin|iban|card[-_]?(number|no)|pan"
]

// Whole words of a key: `cardToken`, `card_token` and `x-api-key`, but not `tokenizer`, `secretary` or `pinned`.
const secretKey = new RegExp(`(?<![a-z])(${secretWords.join("|")})(s|[-_]?(hash|value|text))?(?![a-z])`, "i")

const wordsOf = (key: string): string => key.replace(/([a-z0-9])([A-Z])/g, "$1_$2")

// The keys of payloads are few and come again with every task.
const keysSeen = new Map<string, boolean>()
const mostKeys = 2_000

/** Whether a key is named like one that holds a secret. */
export const isSecretKey = (key: string): boolean => {
  if (key.length > 200) return false
  const before = keysSeen.get(key)
  if (before !== undefined) return before
  const found = secretKey.test(wordsOf(key))
  if (keysSeen.size >= mostKeys) keysSeen.clear()
  keysSeen.set(key, found)
  return found
}

/**
 * Texts that are secrets whatever stands around them; `$1` stays. The published forms of the services they are named after.
 * Each is one pass: no quantifier stands beside another that could take the same characters.
 */
const secretTexts: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?/g,
    placeholder
  ],
  // Authorization headers, and the value of name=value where the name says what it is.
  [/\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/-]{8,}=*/gi, `$1${placeholder}`],
  [
    /\b((?:password|passwd|pwd|secret|token|api[-_]?key|access[-_]?key|client[-_]?secret|authorization)["']?\s?[=:]\s?["']?)[^\s"'&,;<>]{3,}/gi,
    `$1${placeholder}`
  ],
  // The password of a URL.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/]{0,200}:)[^\s@/]{1,500}(?=@)/gi, `$1${placeholder}`],
  // JSON Web Tokens. From where a word begins alone: a long word full of such beginnings would be read from each of them.
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?/g, placeholder],
  // Amazon, GitHub, GitLab, Slack, Stripe, Google, npm, OpenAI and Anthropic.
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, placeholder],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})/g, placeholder],
  [/\bxox[abeprs]-[A-Za-z0-9-]{10,}/g, placeholder],
  [/\b(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{16,}/g, placeholder],
  [/\b(?:AIza[A-Za-z0-9_-]{30,}|npm_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{20,})/g, placeholder]
]

// Every text above has one of these in it, and most texts have none: one look instead of ten.
const hint =
  /-----BEGIN|bearer|basic|passw|pwd|secret|token|key|authorization|:\/\/|eyJ|AKIA|ASIA|_|xox|glpat-|AIza|sk-/i

/** The text without what looks like a secret in it. */
export const withoutSecrets = (text: string): string => {
  if (!hint.test(text)) return text
  let shown = text
  for (const [pattern, replacement] of secretTexts) shown = shown.replace(pattern, replacement)
  return shown
}

const maxDepth = 64

// How many tokens a text has, or may have, is no secret.
const isCount = (key: string, value: unknown): boolean => typeof value === "number" && /tokens?$/i.test(key)

const isHidden = (key: string, value: unknown): boolean =>
  value !== null && typeof value !== "boolean" && isSecretKey(key) && !isCount(key, value)

const clean = (value: unknown, depth: number): unknown => {
  if (typeof value === "string") return withoutSecrets(value)
  if (typeof value !== "object" || value === null) return value
  if (depth > maxDepth) return placeholder
  if (Array.isArray(value)) return value.map((inner) => clean(inner, depth + 1))
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isHidden(key, inner) ? placeholder : clean(inner, depth + 1)])
  )
}

const kindOf = (value: unknown): string => Array.isArray(value) ? "array" : value === null ? "null" : typeof value

/** For those who show tasks themselves: the same as `TaskHttp` does. */
export const make = ({ redact, secrets = true }: RedactionOptions = {}): Redaction => {
  const asked = (value: unknown, shown: Shown): unknown => {
    if (redact === undefined) return value
    try {
      return redact(value, shown)
    } catch {
      return placeholder
    }
  }
  return {
    asks: redact !== undefined,
    text: (text, shown) => {
      // What cannot be decrypted here says so instead.
      if (isSealed(text)) return encrypted
      const answer = asked(secrets ? withoutSecrets(text) : text, shown)
      return typeof answer === "string" ? answer : placeholder
    },
    json: (value, shown) => {
      const before = secrets ? clean(value, 0) : value
      const answer = asked(before, shown)
      // Where one object is expected a client must not be given something else.
      const record = shown.part === "tags" || shown.part === "annotations"
      return record && kindOf(answer) !== "object"
        ? { hidden: placeholder }
        : answer === undefined
        ? placeholder
        : answer
    }
  }
}
