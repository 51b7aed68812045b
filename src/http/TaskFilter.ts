/**
 * The filter language: `status:failed task:a,b tag:k=v dur:>5s -source:schedule "free text"`.
 *
 * `parse` reads a text, `print` writes it in one form, `plan` says what a backend's indexes can answer of it, `matches` what
 * it means, `suggest` how it may go on. `parse`, `print` and `suggest` are plain TypeScript and load nothing of Effect, so
 * browsers can use them too.
 */
export { allOf, type FilterFacts, matches, type Predicate } from "./filter/matches.js"
export { parse, type Parsed, type ParseOptions } from "./filter/parse.js"
export { type Plan, plan, type PlannedQuery } from "./filter/plan.js"
export { print } from "./filter/print.js"
export { suggest, type SuggestFacts, type Suggestion } from "./filter/suggest.js"
export { type Comparison, type Moment, type Pattern, type Problem, type ShownStatus, type Term } from "./filter/term.js"
