/** What is understood of a command line, and what is said of what is not. No database is needed. */
import * as fs from "node:fs"
import * as path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Either, Redacted, TestClock } from "effect"
import { pasted } from "../../src/backend/Inspector.js"
import { version as tablesVersion } from "../../src/backend/sql/schema.js"
import { flags, inOrder } from "../../src/cli/asking.js"
import { absent, lacking } from "../../src/cli/packages.js"
import { parse, scrubbed } from "../../src/cli/place.js"
import * as Progress from "../../src/cli/progress.js"
import { Screen } from "../../src/cli/Screen.js"
import { facts, json, line, many, span, table, time, word } from "../../src/cli/text.js"
import { version } from "../../src/internal/version.js"
import { cli } from "./support.js"

const commands = [
  "list",
  "show",
  "retry",
  "cancel",
  "pause",
  "resume",
  "prune",
  "migrate",
  "doctor",
  "dashboard",
  "key"
]

const place = (url: string) => parse(Redacted.make(url))

describe("words", () => {
  it("are put into the order that the parser wants: command, options, arguments", () => {
    expect(inOrder(["show", "ID", "--url", "x"])).toEqual(["show", "--url", "x", "ID"])
    expect(inOrder(["--url", "x", "show", "--json", "ID"])).toEqual(["show", "--url", "x", "--json", "ID"])
    expect(inOrder(["migrate", "--url=x", "up"])).toEqual(["migrate", "up", "--url=x"])
    expect(inOrder(["cancel", "-y", "-f", "-source:schedule"])).toEqual(["cancel", "-y", "-f", "-source:schedule"])
    expect(inOrder(["pause", "--all", "--url", "x"])).toEqual(["pause", "--all", "--url", "x"])
    expect(inOrder(["pause", "--url", "x", "--", "--odd"])).toEqual(["pause", "--url", "x", "--odd"])
    expect(inOrder(["--completions", "zsh"])).toEqual(["--completions", "zsh"])
    expect(inOrder([])).toEqual([])
  })
})

describe("flags", () => {
  it.effect("are all known where words are put into order: every other option takes the next one", () =>
    Effect.gen(function*() {
      const found = new Set<string>()
      for (const name of [...commands, "migrate status", "migrate up"]) {
        const { out } = yield* cli([...name.split(" "), "--help"])
        for (const [, names] of out.matchAll(/^(.+)\n\n {2}A true or false value\./gm)) {
          for (const [flag] of names!.matchAll(/--?[\w-]+/g)) found.add(flag)
        }
      }
      expect([...found].sort()).toEqual([...flags].sort())
    }))
})

describe("a bar", () => {
  const during = (live: Screen["Type"]["live"]) =>
    Progress.during("removing", 1_000, (advance) =>
      Effect.gen(function*() {
        yield* advance(250)
        yield* TestClock.adjust("1 second")
        yield* advance(250)
      })).pipe(Effect.provideService(Screen, {
        out: () => Effect.void,
        note: () => Effect.void,
        live,
        width: 80,
        color: false,
        serving: () => {}
      }))

  it.effect("is drawn on a terminal, ten times a second at most, and gone at the end", () =>
    Effect.gen(function*() {
      const drawn: Array<string> = []
      yield* during((text) => Effect.sync(() => void drawn.push(text)))
      expect(drawn).toEqual([
        "\rremoving [------------------------] 0% 0/1,000\u001b[K",
        "\rremoving [############------------] 50% 500/1,000\u001b[K",
        "\r\u001b[K"
      ])
      yield* during(null)
    }))
})

describe("the url of a database", () => {
  it("says where it is, without user and password", () => {
    const shown = (url: string) => Either.getOrThrow(Either.map(place(url), ({ kind, shown }) => [kind, shown]))
    expect(shown("sqlite:tasks.db")).toEqual(["sqlite", "SQLite in tasks.db"])
    expect(shown("sqlite:///var/lib/tasks.db")).toEqual(["sqlite", "SQLite in /var/lib/tasks.db"])
    expect(shown("postgresql://ada:pw@db:5433/app?sslmode=require")).toEqual(["postgres", "PostgreSQL at db:5433/app"])
    expect(shown("mariadb://ada:pw@db/app")).toEqual(["mysql", "MySQL at db/app"])
    expect(shown("rediss://:pw@cache:6380/2")).toEqual(["redis", "Redis at cache:6380/2"])
  })

  it("that is none is refused without being repeated", () => {
    for (
      const url of [
        "",
        "tasks.db",
        "sqlite:",
        "http://ada:hush@h/x",
        "postgres://ada:hush@h",
        "redis://ada:hush@h/x",
        "mysql:///hush"
      ]
    ) {
      const wrong = place(url)
      expect(Either.isLeft(wrong), url).toBe(true)
      expect(String(Either.getLeft(wrong))).not.toContain("hush")
    }
    expect(Either.getLeft(place("sqlite::memory:"))).toMatchObject({ _tag: "Some" })
  })

  it("has secrets that no message may hold", () => {
    const found = Either.getOrThrow(place("postgres://ada:p%40ss%2Fw@db/app?password=other"))
    expect(scrubbed("no: p@ss/w and p%40ss%2Fw and other", found)).toBe("no: <redacted> and <redacted> and <redacted>")
    expect(scrubbed("at redis://ada:hush@db:1/2", { secrets: [] })).toBe("at redis://ada:<redacted>@db:1/2")
    expect(scrubbed("what is redis://ada:h@sh/w@db:1 for?", { secrets: [] })).toBe(
      "what is redis://ada:<redacted>@db:1 for?"
    )
  })
})

describe("a command line that is wrong ends with 2 and says why", () => {
  const sqlite = ["--url", "sqlite:nowhere.db"]
  const cases: ReadonlyArray<readonly [words: ReadonlyArray<string>, says: string]> = [
    [["lost"], "Invalid subcommand"],
    [["list"], "TASKFLOW_DATABASE"],
    [["list", "--url", "http://ada:hush@h/x"], "cannot be read"],
    [["list", "--url", "a:hush", "--url", "b:hush"], ""],
    [["list", ...sqlite, "--unknown"], "--unknown"],
    [["list", ...sqlite, "--limit", "0"], "--limit is 0"],
    [["list", ...sqlite, "--limit", "many"], "many"],
    [["list", ...sqlite, "-f", "status:hush"], "^"],
    [["list", ...sqlite, "-f", "args.to:ada"], "--arguments lets it look into them"],
    [["show", ...sqlite], ""],
    [["retry", ...sqlite], "id of one task, or --filter"],
    [["cancel", ...sqlite, "-f", " "], "--filter is empty"],
    [["pause", ...sqlite], "--all"],
    [["pause", "mail", "--all", ...sqlite], "--all"],
    [["prune", ...sqlite, "--older-than", "soon"], "--older-than"],
    [["prune", ...sqlite, "--older-than", "1d", "--status", "pending"], "--status"],
    [["dashboard", ...sqlite, "--host", "0.0.0.0"], "TASKFLOW_AUTH"],
    [["dashboard", ...sqlite, "--auth", "hush"], "user:password"],
    [["dashboard", ...sqlite, "--port", "70000"], "--port"],
    [["key", "--id", "a b"], "--id"]
  ]
  for (const [words, says] of cases) {
    it.effect(words.join(" "), () =>
      Effect.gen(function*() {
        const said = yield* cli(words)
        expect(said).toMatchObject({ code: 2, out: "" })
        expect(said.note).toContain(says)
        if (!words.includes("status:hush")) expect(said.note).not.toContain("hush")
      }))
  }

  it.effect("a filter that is too long is not repeated", () =>
    Effect.gen(function*() {
      const { code, note } = yield* cli(["list", ...sqlite, "-f", "status:failed ".repeat(500)])
      expect(code).toBe(2)
      expect(note).toBe("effect-taskflow: the filter cannot be read: a filter has at most 2000 characters\n")
    }))

  it.effect("the environment too", () =>
    Effect.gen(function*() {
      const said = yield* cli(["list"], { env: { TASKFLOW_DATABASE: "mongo://ada:hush@db/x" } })
      expect(said).toMatchObject({ code: 2, out: "" })
      expect(said.note).not.toContain("hush")
    }))
})

describe("what every command line has", () => {
  it.effect("help, of all and of each", () =>
    Effect.gen(function*() {
      const help = yield* cli(["--help"])
      expect(help.code).toBe(0)
      for (const name of commands) {
        expect(help.out).toContain(name)
        expect((yield* cli([name, "--help"])).out).toContain(name === "migrate" ? "status" : "--json")
      }
      expect(help.out).not.toContain("\u001b")
    }))

  it.effect("a version, and completions for three shells", () =>
    Effect.gen(function*() {
      expect(yield* cli(["--version"])).toMatchObject({ code: 0, out: `${version}\n` })
      for (const shell of ["bash", "zsh", "fish"]) {
        const { code, out } = yield* cli(["--completions", shell])
        expect(code).toBe(0)
        expect(out).toContain("effect-taskflow")
        expect(out).toContain("doctor")
      }
    }))
})

describe("packages that are missing", () => {
  it("are named in one line with what installs them", () => {
    expect(lacking("SQLite", () => true)).toBeNull()
    expect(lacking("Redis", () => false)).toMatch(
      /^effect-taskflow: Redis needs packages that are not installed: npm install "ioredis@\^[\d.]+"$/
    )
    expect(lacking("command line", (name) => name !== "@effect/cli")).toMatch(
      /^effect-taskflow: the command line needs .+: npm install "@effect\/cli@\^[\d.]+"$/
    )
    const error = Object.assign(new Error("Cannot find package '@effect/typeclass' imported from x"), {
      code: "ERR_MODULE_NOT_FOUND"
    })
    expect(absent(error)).toContain("npm install \"@effect/typeclass\"")
    expect(absent(new Error("other"))).toBeNull()
  })
})

describe("docs/guide/cli.md", () => {
  const root = path.resolve(import.meta.dirname, "../..")
  const page = fs.readFileSync(path.join(root, "docs/guide/cli.md"), "utf8")

  it("installs the versions that go together", () => {
    const { peerDependencies } = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))
    const named = [...page.matchAll(/((?:@effect\/)?[a-z][\w-]+)@(\^[\d.]+)/g)]
    expect(named.length).toBeGreaterThan(8)
    for (const [, name, range] of named) expect(peerDependencies[name!], name).toBe(range)
  })

  it("shows the version that tables have", () => {
    const shown = [...page.matchAll(/the tables are of version (\d+)/g)].map(([, version]) => Number(version))
    expect(new Set(shown)).toEqual(new Set([tablesVersion]))
  })

  it("has every command, and every option of it", () => {
    for (const name of commands) expect(page).toMatch(new RegExp(`^## .*\\b${name}\\b`, "m"))
    for (const option of ["--older-than", "--status", "--sort", "--cursor", "--lines", "--read-only", ...flags]) {
      if (!/^(-y|-h|--wizard|--version)$/.test(option)) expect(page).toContain(option)
    }
  })
})

describe("text", () => {
  it("of tasks does nothing to a terminal", () => {
    expect(line("a\u001b[2Jb\u202ec\n  d")).toBe("a\ufffd[2Jb\ufffdc d")
    expect(line("a\u061cb\u200bc\ufeffd")).toBe("a\ufffdb\ufffdc\ufffdd")
    expect(table(["A", "B"], [["x\ty", "1"], ["long", "2"]], null)).toBe("A     B\nx\ufffdy   1\nlong  2")
    expect(table(["A", "B"], [["x", "123456789"]], 6)).toBe("A  B\nx  12…")
    expect(facts([["one", "1"], ["three", null], ["two", "2"]])).toBe("one  1\ntwo  2")
  })

  it("as JSON does nothing to it either, and is the same value", () => {
    const value = { error: "a\u001b[2J\u009b31m\u202eb\nc" }
    expect(json(value)).toBe("{\n  \"error\": \"a\\u001b[2J\\u009b31m\\u202eb\\nc\"\n}")
    expect(JSON.parse(json(value))).toEqual(value)
  })

  it("that is told to be pasted into a shell is one word there", () => {
    expect(word("a\"$(id)`id`'b")).toBe("'a\"$(id)`id`'\\''b'")
    expect(["01a2-b_c", "k+/=", "x'; DROP TABLE y"].map(pasted)).toEqual(["01a2-b_c", "k+/=", "…"])
  })

  it("of times and numbers reads well", () => {
    expect([0, 999, 1_240, 65_000, 7_320_000, 1_000_000_000].map(span)).toEqual([
      "0ms",
      "999ms",
      "1.2s",
      "1m 5s",
      "2h 2m",
      "11d 13h"
    ])
    expect(time(0)).toBe("1970-01-01 00:00:00Z")
    expect([many(1, "task"), many(12_000, "task")]).toEqual(["1 task", "12,000 tasks"])
  })
})
