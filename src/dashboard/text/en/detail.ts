/** The words of what one run says beyond its facts, in English. */
import { count, duration, plural } from "../format.js"

const day = 86_400_000

const span = (millis: number): string =>
  millis % day === 0 ? `${count(millis / day)} ${plural(millis / day, "day", "days")}` : duration(millis)

export const detail = {
  cause: {
    title: "What went wrong, part by part",
    kinds: {
      parallel: "At the same time",
      sequential: "One after the other",
      interrupt: "Interrupted",
      defect: "defect"
    },
    library: (frames: number) => `${frames} library ${plural(frames, "frame", "frames")}`,
    omitted: (value: number) => `and ${count(value)} more`
  },

  gone: {
    retention: (millis: number) => `This run was removed by retention (${span(millis)})`,
    retentionBody: "What ended longer ago than that is removed, with its log.",
    younger: "Its history was cleared, or its ID is wrong. Retention would still keep it."
  }
}
