import { describe, expect, it } from "vitest"
import { cronInWords } from "../../src/http/cronWords.js"

describe("a cron expression in words", () => {
  it.each([
    ["* * * * *", "every minute"],
    ["*/5 * * * *", "every 5 minutes"],
    ["0 * * * *", "every hour"],
    ["15 * * * *", "every hour at :15"],
    ["0 */6 * * *", "every 6 hours"],
    ["30 */2 * * *", "every 2 hours at :30"],
    ["0 3 * * *", "every day at 03:00"],
    ["0 0 3 * * *", "every day at 03:00"],
    ["5 3,15 * * *", "every day at 03:05 and 15:05"],
    ["0 9 * * 1-5", "Monday to Friday at 09:00"],
    ["0 9 * * MON,THU", "Monday and Thursday at 09:00"],
    ["0 9 * * 7", "Sunday at 09:00"],
    ["30 6 1,15 * *", "day 1 and 15 of the month at 06:30"],
    ["*/10 * * * * *", "every 10 seconds"],
    ["* * * * * *", "every second"]
  ])("%s is %s", (expression, words) => expect(cronInWords(expression)).toBe(words))

  it.each([
    "*/7 * * * *",
    "0 */5 * * *",
    "0 3 1 * 1",
    "0-10 3 * * *",
    "0 3 * JAN *",
    "30 0 3 * * *",
    "0 3 L * *",
    "0 1,2,3,4,5 * * *",
    "nonsense"
  ])(
    "%s is not described almost right",
    (expression) => expect(cronInWords(expression)).toBeNull()
  )

  it("names the day of a year", () => expect(cronInWords("0 0 24 12 *")).toMatch(/^every year on .*24.* at 00:00$/))
})
