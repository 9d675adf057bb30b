// SPDX-License-Identifier: Apache-2.0
// cache_suite.mjs FOLDER URL - runs http-tests/cache-tests, of which FOLDER is a copy, against the cache at
// URL: a line of JSON a test, with its id, its kind and how it ended.
const [folder, base] = process.argv.slice(2)
const { runTests, getResults } = await import(`${folder}/test-engine/client/runner.mjs`)
const { determineTestResult, resultTypes } = await import(`${folder}/test-engine/lib/results.mjs`)
const { default: suites } = await import(`${folder}/tests/index.mjs`)

await runTests(suites, false, base)
const results = getResults()
for (const test of suites.flatMap(suite => suite.tests)) {
  if (test.browser_only) continue
  const type = determineTestResult(suites, test.id, results)
  const [end] = Object.entries(resultTypes).find(([, value]) => value === type)
  console.log(JSON.stringify({ id: test.id, kind: test.kind ?? 'required', end, why: results[test.id] }))
}
process.exit(0)
