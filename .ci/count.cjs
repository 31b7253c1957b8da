// Prints "N passed, N failed" from vitest's JSON report. usage: count.cjs REPORT EXIT-CODE
// A failure that no test shows (a type error, a crash, a file that does not load, no test at all) counts as one.
const fs = require("node:fs")

const [reportPath, exitCode] = process.argv.slice(2)
let passed = 0
let failed = 0
try {
  const report = JSON.parse(fs.readFileSync(reportPath, "utf8"))
  passed = report.numPassedTests
  failed = report.numFailedTests
  failed += report.testResults.filter(
    file => file.status === "failed" && !file.assertionResults.some(test => test.status === "failed")
  ).length
} catch {
  // No report: vitest was not reached, or died.
}
if (failed === 0 && (exitCode !== "0" || passed === 0)) failed = 1
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
