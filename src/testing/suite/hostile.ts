/** Texts that people and programs send where a cursor, a fingerprint or a name is expected. */
export const hostile: ReadonlyArray<string> = [
  "",
  "0",
  "null",
  "[]",
  "{}",
  "[1]",
  "[1,2]",
  "[\"1\",\"2\"]",
  "[1,\"\\u0000\"]",
  "[1e400,\"a\"]",
  "[null,null]",
  "\u0000",
  "a\u0000b",
  "\ud800",
  "💥",
  "' OR 1=1 --",
  "%",
  "__proto__",
  "a".repeat(5_000),
  "|",
  "("
]
