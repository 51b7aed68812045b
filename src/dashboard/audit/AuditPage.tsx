/** The page of the audit trail: who did what to what, when, and how it went. */
import { useState } from "preact/hooks"
import * as endpoints from "../api/endpoints.js"
import { isProblem } from "../api/problem.js"
import type { AuditEntry, AuditTrail } from "../api/types.js"
import { param, setParams, withParams } from "../location.js"
import { may, session } from "../session.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"
import { Blank } from "../ui/Blank.js"
import { Button } from "../ui/controls.js"
import { Find } from "../ui/Find.js"
import { usePolled } from "../ui/polled.js"
import { type Column, RowTable } from "../ui/RowTable.js"
import { Sheet } from "../ui/Sheet.js"
import { Age } from "../ui/Time.js"
import { actions, isCount, parametersOf, targetOf, wordsOf } from "./entry.js"

const pageSize = 100

const asked = () => ({
  who: param("who") ?? undefined,
  action: param("action") ?? undefined,
  target: param("target") ?? undefined
})

const read = (cursor: string | null, signal?: AbortSignal): Promise<AuditTrail> =>
  endpoints.audit({ ...asked(), limit: pageSize, cursor: cursor ?? undefined }, signal)

const Outcome = ({ entry, entry: { outcome } }: { readonly entry: AuditEntry }) =>
  outcome === "done"
    ? isCount(entry) ? <span class="dim">{t.audit.counted}</span> : <span>{t.audit.done}</span>
    : <span class="trouble">{outcome === "denied" ? t.audit.refused : outcome}</span>

const Row = ({ entry }: { readonly entry: AuditEntry }) => {
  const { action, at, who } = entry
  const target = targetOf(entry)
  const parameters = parametersOf(entry)
  const millis = Date.parse(at)
  return (
    <tr data-action={action}>
      <td data-label={t.audit.when}>
        <time dateTime={at} title={format.fullTime(millis, utc.value)}>{format.momentOf(millis, utc.value)}</time>{" "}
        <span class="dim">
          <Age at={at} />
        </span>
      </td>
      <th scope="row" data-label={t.audit.by}>
        <a class="one-line" href={withParams({ who })} title={t.audit.only(who)}>{who}</a>
      </th>
      <td data-label={t.audit.action}>
        <span class="one-line" title={action}>{wordsOf(action)}</span>
      </td>
      <td data-label={t.audit.on}>
        {target === null
          ? <span class="dim">{t.audit.none}</span>
          : target.to === null
          ? <span class="one-line mono" title={target.text}>{target.text}</span>
          : <a class="one-line mono link" href={target.to} title={target.text}>{target.text}</a>}
      </td>
      <td class="c-params" data-label={t.audit.parameters}>
        {parameters === null
          ? <span class="dim">{t.audit.none}</span>
          : (
            <details>
              <summary class="mono">
                <span>{parameters}</span>
              </summary>
              <pre class="json" tabIndex={0}>{JSON.stringify(entry.parameters, null, 2)}</pre>
            </details>
          )}
      </td>
      <td data-label={t.audit.outcome}>
        <Outcome entry={entry} />
      </td>
    </tr>
  )
}

const columns: ReadonlyArray<Column> = [
  { label: t.audit.when, col: "w-when" },
  { label: t.audit.by, col: "w-who" },
  { label: t.audit.action, col: "w-action" },
  { label: t.audit.on, col: "w-target" },
  { label: t.audit.parameters },
  { label: t.audit.outcome, col: "w-outcome" }
]

const Table = ({ items }: { readonly items: ReadonlyArray<AuditEntry> }) => (
  <RowTable name="audit" caption={t.audit.title} columns={columns}>
    {items.map((entry) => <Row key={entry.id} entry={entry} />)}
  </RowTable>
)

const ActionChoice = () => {
  const chosen = param("action") ?? ""
  const all = chosen === "" || actions.includes(chosen) ? actions : [chosen, ...actions]
  return (
    <select
      class="choice"
      aria-label={t.audit.action}
      value={chosen}
      onChange={(event) => setParams({ action: event.currentTarget.value })}
    >
      <option value="">{t.audit.anyAction}</option>
      {all.map((action) => <option key={action} value={action}>{wordsOf(action)}</option>)}
    </select>
  )
}

const clear = (): void => setParams({ who: null, action: null, target: null })

const Nothing = ({ narrowed }: { readonly narrowed: boolean }) =>
  narrowed
    ? (
      <Blank title={t.audit.filtered} actions={<Button onClick={clear}>{t.states.clearAll}</Button>}>
        <p>{t.audit.filteredBody}</p>
      </Blank>
    )
    : <Blank title={t.audit.empty}>
      <p>{t.audit.emptyBody}</p>
    </Blank>

/** Pages behind the first one, of one answer to one question. */
interface Older extends AuditTrail {
  readonly of: string
}

type More = "idle" | "busy" | "failed"

const Trail = () => {
  const question = JSON.stringify(asked())
  const polled = usePolled(question, (signal) => read(null, signal), null)
  const [older, setOlder] = useState<Older | null>(null)
  const [more, setMore] = useState<More>("idle")
  const of = `${question} ${polled.turn}`
  const behind = older?.of === of ? older : null

  const loadOlder = async (cursor: string): Promise<void> => {
    setMore("busy")
    try {
      const { items, nextCursor } = await read(cursor)
      setOlder({ of, items: [...behind?.items ?? [], ...items], nextCursor })
      setMore("idle")
    } catch (error) {
      if (!isProblem(error)) throw error
      setMore("failed")
    }
  }

  return (
    <Sheet
      title={t.audit.title}
      note={t.audit.note}
      tools={
        <>
          <ActionChoice />
          <Find name="who" label={t.audit.who} whenDone />
          <Find name="target" label={t.audit.target} whenDone />
          <Button onClick={polled.reload}>{t.audit.refresh}</Button>
        </>
      }
      failed={t.audit.failed}
      polled={polled}
    >
      {(first) => {
        const items = [...first.items, ...behind?.items ?? []]
        const cursor = behind === null ? first.nextCursor : behind.nextCursor
        return items.length === 0
          ? <Nothing narrowed={Object.values(asked()).some((one) => one !== undefined)} />
          : (
            <>
              <Table items={items} />
              {cursor === null || polled.isOfAnother ? null : (
                <p class="more-pages">
                  <Button disabled={more === "busy"} onClick={() => void loadOlder(cursor)}>{t.audit.older}</Button>
                  {more === "failed" ? <span class="trouble" role="status">{t.audit.olderFailed}</span> : null}
                </p>
              )}
            </>
          )
      }}
    </Sheet>
  )
}

export const AuditPage = () =>
  session.value === null
    ? <div class="sheet" />
    : may("audit")
    ? <Trail />
    : (
      <Blank title={t.audit.denied}>
        <p>{t.run.may("audit")}.</p>
      </Blank>
    )
