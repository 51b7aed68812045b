/**
 * Cursors of the lists beside the tasks (audit trail, error groups, schedules): what the backend gave, as an opaque text that
 * names its list. A text that is none would otherwise be an empty page, which reads like the end.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { malformed } from "./searchCursor.js"
import { TaskCursorError } from "./TaskProblem.js"

const Encoded = Schema.compose(
  Schema.StringFromBase64Url,
  Schema.parseJson(Schema.Tuple(Schema.String, Schema.String))
)
const encoded = Schema.encodeSync(Encoded)
const decode = Schema.decode(Encoded)

const otherQuestion = new TaskCursorError({
  reason: "otherQuestion",
  message: "the cursor belongs to another list: begin without one"
})

/** The `nextCursor` to give out. */
export const given = (list: string, cursor: string | null): string | null =>
  cursor === null ? null : encoded([list, cursor])

/** The backend's cursor in what was given out. */
export const taken = (list: string, text: string | undefined): Effect.Effect<string | undefined, TaskCursorError> =>
  text === undefined ? Effect.succeed(undefined) : decode(text).pipe(
    Effect.mapError(() => malformed),
    Effect.filterOrFail(([of]) => of === list, () => otherQuestion),
    Effect.map(([, cursor]) => cursor)
  )
