import { describe, expect, it } from "vitest"
import { InTurns } from "../../src/executor/InTurns.js"

const immediate = () => new Promise<void>((resolve) => setImmediate(resolve))

const busyFor = (millis: number): void => {
  const until = performance.now() + millis
  while (performance.now() < until);
}

describe("what workers say", () => {
  it("is heard in its order, by turns with the others, and not all in one turn of the event loop", async () => {
    const turns = new InTurns()
    const [talker, other] = [turns.line(), turns.line()]
    const heard: Array<string> = []
    for (let count = 0; count < 10; count += 1) {
      talker(() => {
        busyFor(1.5)
        heard.push(`line ${count}`)
      })
    }
    other(() => heard.push("ended"))
    expect(heard).toEqual([])
    await immediate()
    expect(heard.slice(0, 3)).toEqual(["line 0", "ended", "line 1"])
    expect(heard.length).toBeLessThan(11)
    while (heard.length < 11) await immediate()
    expect(heard.filter((text) => text !== "ended")).toEqual(Array.from({ length: 10 }, (_, count) => `line ${count}`))
  })

  it("is heard also when something came while another was heard", async () => {
    const turns = new InTurns()
    const line = turns.line()
    const heard: Array<string> = []
    line(() => {
      heard.push("first")
      line(() => heard.push("second"))
    })
    while (heard.length < 2) await immediate()
    expect(heard).toEqual(["first", "second"])
  })
})
