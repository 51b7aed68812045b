/** Moments and ages, each with its full form in the tooltip and for programs. */
import { now } from "../clock.js"
import { utc } from "../settings.js"
import * as format from "../text/format.js"

const other = (millis: number): string =>
  `${format.fullTime(millis, utc.value)} · ${format.fullTime(millis, !utc.value)}`

/** How long ago, growing once a second. */
export const Age = ({ at }: { readonly at: string }) => {
  const millis = Date.parse(at)
  return <time dateTime={at} title={other(millis)}>{format.age(now.value - millis)}</time>
}

export const Moment = ({ at }: { readonly at: string }) => {
  const millis = Date.parse(at)
  return <time dateTime={at} title={other(millis)}>{format.nearTime(millis, now.value, utc.value)}</time>
}
