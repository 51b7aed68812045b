/** Moments and ages, each with its full form in the tooltip and for programs. */
import { now } from "../clock.js"
import { utc } from "../settings.js"
import { t } from "../text/en.js"
import * as format from "../text/format.js"

const other = (millis: number): string =>
  `${format.fullTime(millis, utc.value)} · ${format.fullTime(millis, !utc.value)}`

/** How long ago, growing once a second; with `ago` as words that stand alone. */
export const Age = ({ ago = false, at }: { readonly at: string; readonly ago?: boolean }) => {
  const millis = Date.parse(at)
  const age = format.age(now.value - millis)
  return <time dateTime={at} title={other(millis)}>{ago ? t.instances.ago(age) : age}</time>
}

export const Moment = ({ at }: { readonly at: string }) => {
  const millis = Date.parse(at)
  return <time dateTime={at} title={other(millis)}>{format.nearTime(millis, now.value, utc.value)}</time>
}
