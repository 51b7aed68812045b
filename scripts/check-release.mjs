// Whether a tag may be published: it is the version of package.json and of the library, the changelog has a date for it, and
// package.json says where it comes from. With --tag it prints what npm publishes it as.
//
// node scripts/check-release.mjs v1.2.3 [--tag]
import { readFileSync } from "node:fs"
import { argv, env, exit } from "node:process"

/** What stands in the way, in words; empty when nothing does. */
const problemsOf = ({ changelog, library, pkg, readme, repository, tag }) => {
  const problems = []
  const { version } = pkg
  if (tag !== `v${version}`) problems.push(`the tag is ${tag}, package.json says ${version}: expected is v${version}`)
  if (!library.includes(`version = "${version}"`)) problems.push(`src/internal/version.ts does not say ${version}`)
  const heading = changelog.split("\n").find((line) => line.startsWith(`## ${version} `) || line === `## ${version}`)
  if (heading === undefined) problems.push(`docs/changelog.md has no heading for ${version}`)
  else if (!/ \(\d{4}-\d{2}-\d{2}\)$/.test(heading)) {
    problems.push(`docs/changelog.md says "${heading}": expected is a date, as in "## ${version} (2030-01-31)"`)
  }
  if (readme.includes(`${version}, unreleased`)) problems.push(`README.md says that ${version} is unreleased`)
  const source = typeof pkg.repository === "string" ? pkg.repository : pkg.repository?.url
  if (source === undefined) problems.push("package.json has no repository: npm refuses provenance without it")
  else if (repository !== undefined && !source.toLowerCase().includes(repository.toLowerCase())) {
    problems.push(`package.json says that the repository is ${source}, and this is ${repository}`)
  }
  return problems
}

const read = (file) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8")
const [, , tag = ""] = argv
const pkg = JSON.parse(read("package.json"))
const problems = problemsOf({
  changelog: read("docs/changelog.md"),
  library: read("src/internal/version.ts"),
  pkg,
  readme: read("README.md"),
  repository: env.GITHUB_REPOSITORY,
  tag
})
for (const problem of problems) console.error(problem)
if (problems.length > 0) exit(1)
// A version with a hyphen is for those who ask for it.
if (argv.includes("--tag")) console.log(pkg.version.includes("-") ? "next" : "latest")
