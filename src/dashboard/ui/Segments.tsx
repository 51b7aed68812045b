/** A few choices beside each other, of which one holds. */

interface SegmentsProps<Id extends string> {
  readonly label: string
  readonly choices: ReadonlyArray<readonly [Id, string]>
  readonly at: Id
  readonly onChoose: (id: Id) => void
}

export const Segments = <Id extends string>({ at, choices, label, onChoose }: SegmentsProps<Id>) => (
  <div class="segments" role="group" aria-label={label}>
    {choices.map(([id, words]) => (
      <button
        key={id}
        type="button"
        aria-pressed={id === at}
        onClick={() => onChoose(id)}
      >
        {words}
      </button>
    ))}
  </div>
)
