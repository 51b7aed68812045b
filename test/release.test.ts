/** What stands between a tag and a release, tried on copies of the files that a release looks at. */
import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { parse } from "yaml"

const root = path.resolve(import.meta.dirname, "..")
const place = fs.mkdtempSync(path.join(os.tmpdir(), "taskflow-release-"))
afterAll(() => fs.rmSync(place, { recursive: true, force: true }))

const repository = { type: "git", url: "git+https://example.com/ada/effect-taskflow.git" }

/** All that the script reads, fit to be released, but for what is said. */
const check = (changes: Readonly<Record<string, string>>, tag: string, ...more: ReadonlyArray<string>) => {
  const files = {
    "package.json": JSON.stringify({ version: "1.2.3", repository }),
    "docs/changelog.md": "# Changelog\n\n## 1.2.3 (2030-01-31)\n",
    "src/internal/version.ts": "export const version = \"1.2.3\"\n",
    "README.md": "This is 1.2.3.\n",
    "scripts/check-release.mjs": fs.readFileSync(path.join(root, "scripts/check-release.mjs"), "utf8"),
    ...changes
  }
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(place, file)), { recursive: true })
    fs.writeFileSync(path.join(place, file), text)
  }
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [path.join(place, "scripts/check-release.mjs"), tag, ...more],
    { encoding: "utf8", env: { ...process.env, GITHUB_REPOSITORY: "ada/effect-taskflow" } }
  )
  return { status, said: stderr.trim(), printed: stdout.trim() }
}

describe("a tag", () => {
  it("is published when it is the version, which the changelog dates", () => {
    expect(check({}, "v1.2.3", "--tag")).toEqual({ status: 0, said: "", printed: "latest" })
  })

  it("of a version with a hyphen is published for those who ask for it", () => {
    const version = "1.2.3-rc.1"
    const changes = {
      "package.json": JSON.stringify({ version, repository }),
      "docs/changelog.md": `## ${version} (2030-01-31)\n`,
      "src/internal/version.ts": `export const version = "${version}"\n`
    }
    expect(check(changes, `v${version}`, "--tag")).toEqual({ status: 0, said: "", printed: "next" })
  })

  it.each([
    ["another version", {}, "v1.2.4", "the tag is v1.2.4, package.json says 1.2.3: expected is v1.2.3"],
    [
      "a library that says another version",
      { "src/internal/version.ts": "export const version = \"1.2.2\"" },
      "v1.2.3",
      "src/internal/version.ts does not say 1.2.3"
    ],
    [
      "a version that the changelog does not know",
      { "docs/changelog.md": "## 1.2.2 (2030-01-01)" },
      "v1.2.3",
      "docs/changelog.md has no heading for 1.2.3"
    ],
    [
      "a version without a date",
      { "docs/changelog.md": "## 1.2.3 (unreleased)" },
      "v1.2.3",
      "docs/changelog.md says \"## 1.2.3 (unreleased)\": expected is a date, as in \"## 1.2.3 (2030-01-31)\""
    ],
    [
      "a README that says it is not released",
      { "README.md": "This is 1.2.3, unreleased." },
      "v1.2.3",
      "README.md says that 1.2.3 is unreleased"
    ],
    [
      "no repository",
      { "package.json": JSON.stringify({ version: "1.2.3" }) },
      "v1.2.3",
      "package.json has no repository: npm refuses provenance without it"
    ],
    [
      "another repository",
      { "package.json": JSON.stringify({ version: "1.2.3", repository: "github:bob/effect-taskflow" }) },
      "v1.2.3",
      "package.json says that the repository is github:bob/effect-taskflow, and this is ada/effect-taskflow"
    ]
  ])("is refused with %s", (_, changes: Readonly<Record<string, string>>, tag, said) => {
    expect(check(changes, tag, "--tag")).toEqual({ status: 1, said, printed: "" })
  })
})

describe("the workflow of a release", () => {
  interface Job {
    readonly needs?: string
    readonly uses?: string
    readonly permissions?: Readonly<Record<string, string>>
    readonly steps?: ReadonlyArray<{ readonly run?: string }>
  }
  const { jobs, on, permissions }: {
    readonly jobs: Readonly<Record<string, Job>>
    readonly on: Readonly<Record<string, unknown>>
    readonly permissions: unknown
  } = parse(fs.readFileSync(path.join(root, ".github/workflows/release.yml"), "utf8"))

  it("begins with a tag, and publishes with provenance after the version was checked and the gate has passed", () => {
    expect(on).toEqual({ push: { tags: ["v[0-9]+.[0-9]+.[0-9]+*"] } })
    expect(jobs["publish"]!.needs).toBe("gate")
    expect(jobs["gate"]).toMatchObject({ needs: "version", uses: "./.github/workflows/ci.yml" })
    expect(jobs["version"]!.steps!.map(({ run }) => run)).toContain(
      "node scripts/check-release.mjs \"$GITHUB_REF_NAME\""
    )
    expect(jobs["publish"]!.steps!.at(-1)!.run).toMatch(/^npm publish --provenance --access public --ignore-scripts /m)
  })

  it("may write nothing but what provenance is signed with, and that only where it publishes", () => {
    expect(permissions).toEqual({ contents: "read" })
    expect(jobs["publish"]!.permissions).toEqual({ contents: "read", "id-token": "write" })
    expect(Object.entries(jobs).filter(([name, job]) => name !== "publish" && job.permissions !== undefined)).toEqual(
      []
    )
  })

  it("runs the gate that every push runs", () => {
    const ci = parse(fs.readFileSync(path.join(root, ".github/workflows/ci.yml"), "utf8"))
    expect(Object.keys(ci.on)).toEqual(["push", "pull_request", "workflow_call"])
    expect(ci.jobs.check.steps.map(({ run }: { readonly run?: string }) => run)).toContain(".ci/run")
  })
})
