import { Task } from "effect-taskflow"
import { describe, expect, it } from "vitest"

const thrown = (make: () => unknown) => {
  try {
    make()
  } catch (error) {
    return error
  }
  return undefined
}

describe("Task.module", () => {
  it("names an export of a file", () => {
    const url = new URL("./resize.worker.js", import.meta.url)
    expect(Task.module(url).ref).toEqual({ url: url.href, exportName: "default" })
    expect(Task.module(url.href, { export: "resize" }).ref).toEqual({ url: url.href, exportName: "resize" })
  })

  it("takes no other URL, no path and no empty name", () => {
    for (const url of ["./resize.worker.js", "/app/resize.worker.js", "https://x.dev/a.js", "data:text/javascript,1"]) {
      expect(thrown(() => Task.module(url))).toMatchObject({
        _tag: "TaskDefinitionError",
        path: "url",
        message: expect.stringContaining("write new URL(\"./name.worker.js\", import.meta.url)")
      })
    }
    expect(thrown(() => Task.module("file:///a.js", { export: "" }))).toMatchObject({ path: "export" })
  })
})
