// Prints "N passed, N failed" from a vitest JSON report. A file that failed before its tests ran, and an error outside
// every test, count as failures: the report's own totals leave both out.
import { existsSync, readFileSync } from "node:fs"

const [report] = process.argv.slice(2)
if (report === undefined || !existsSync(report)) {
  console.error("no test report was written")
  process.exit(1)
}

const { numFailedTests, numPassedTests, numPendingTests, numTodoTests, success, testResults } = JSON.parse(
  readFileSync(report, "utf8")
)
const brokenFiles = testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((test) => test.status === "failed")
)
for (const file of brokenFiles) console.log(`failed outside its tests: ${file.name}`)

const reported = numFailedTests + brokenFiles.length
const failed = !success && reported === 0 ? 1 : reported
const skipped = numPendingTests + numTodoTests
if (skipped > 0) console.log(`${skipped} skipped`)
console.log(`${numPassedTests} passed, ${failed} failed`)
process.exitCode = failed === 0 && numPassedTests > 0 ? 0 : 1
