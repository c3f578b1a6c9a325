// Adds up reports of vitest's JSON reporter and prints what failed, be it once, then one line: `N passed, N failed`.
// A report that is missing (its run died before the end), a file that failed as a whole and an error outside of any
// test count as one failure each, so that a broken run never looks like a green one.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const counts = process.argv.slice(2).map(countReport)
const sum = (key) => counts.reduce((total, count) => total + count[key], 0)
console.log(`${sum('passed')} passed, ${sum('failed')} failed`)
process.exit(sum('failed') === 0 ? 0 : 1)

function countReport(path) {
  const report = readReport(path)
  if (report === undefined) return { passed: 0, failed: 1 }
  report.testResults.forEach(printFailures)
  const isWhole = (file) => file.status === 'failed' && file.assertionResults.every(({ status }) => status !== 'failed')
  const failed = report.numFailedTests + report.testResults.filter(isWhole).length
  return { passed: report.numPassedTests, failed: failed === 0 && !report.success ? 1 : failed }
}

/** Also of tests that passed at their second try. */
function printFailures({ name, status, message, assertionResults }) {
  const path = relative(process.cwd(), name)
  if (status === 'failed') console.log(`FAILED ${path} ${message}`)
  for (const result of assertionResults.filter(({ failureMessages }) => failureMessages.length > 0)) {
    const outcome = result.status === 'failed' ? 'FAILED' : 'PASSED AT ITS SECOND TRY'
    console.log(`${outcome} ${path} ${result.fullName}\n${result.failureMessages.join('\n')}`)
  }
}

function readReport(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    console.error(`No report of this run: ${error.message}`)
    return undefined
  }
}
