/**
 * Proves that the tests can fail: applies each `test/mutants/*.patch` to a scratch copy of the repository, one at a
 * time, runs the tests it names and expects them to fail. `npm run mutants [NAME…]`, a name being part of a file name.
 *
 * A patch starts with the lines `# test: PATH` (one or more) and `# breaks: PROMISE`. The run fails if a mutant
 * survives, no longer applies, names a test that does not exist, or breaks more than the promise (a file that does
 * not load or a run that hangs proves nothing); and if the named tests do not pass on the unpatched copy.
 */
import { spawn, spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

const patience = 10 * 60_000

interface Mutant {
  readonly name: string
  readonly file: string
  readonly tests: ReadonlyArray<string>
  readonly breaks: string | undefined
}

interface Report {
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly assertionResults: ReadonlyArray<{ readonly fullName: string; readonly status: string }>
  }>
}

/** What a run of vitest showed; `undefined` where it ended without a report. */
interface Outcome {
  readonly exitCode: number | undefined
  readonly report: Report | undefined
  readonly output: string
}

const root = process.cwd()
const mutantsDirectory = path.join(root, "test/mutants")

const readMutant = (fileName: string): Mutant => {
  const file = path.join(mutantsDirectory, fileName)
  const text = readFileSync(file, "utf8")
  const header = (key: string) =>
    [...text.matchAll(new RegExp(`^# ${key}: *(\\S.*)$`, "gm"))].map(([, value = ""]) => value)
  return { name: fileName.replace(/\.patch$/, ""), file, tests: header("test"), breaks: header("breaks")[0] }
}

/** A copy of what git tracks or would track, so that the patch never touches the tree that others work in. */
const copyRepository = (): string => {
  const copy = mkdtempSync(path.join(tmpdir(), "mutants-"))
  const listed = spawnSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8"
  })
  for (const name of listed.stdout.split("\0")) {
    if (name === "" || !existsSync(path.join(root, name))) continue
    mkdirSync(path.dirname(path.join(copy, name)), { recursive: true })
    cpSync(path.join(root, name), path.join(copy, name))
  }
  symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"))
  // Patches are applied by paths from the top of a repository.
  spawnSync("git", ["init", "--quiet"], { cwd: copy })
  return copy
}

const apply = (copy: string, mutant: Mutant, ...options: ReadonlyArray<string>) =>
  spawnSync("git", ["apply", ...options, mutant.file], { cwd: copy, encoding: "utf8" })

/** Runs a command in its own process group, so that all it started ends with it when it hangs. */
const run = (copy: string, command: string, words: ReadonlyArray<string>) =>
  new Promise<{ readonly exitCode: number | undefined; readonly output: string }>(resolve => {
    const child = spawn(command, words, { cwd: copy, detached: true, stdio: ["ignore", "pipe", "pipe"] })
    const chunks: Array<string> = []
    const collect = (chunk: Buffer) => chunks.push(chunk.toString())
    child.stdout.on("data", collect)
    child.stderr.on("data", collect)
    const timer = setTimeout(() => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
    }, patience)
    child.on("close", exitCode => {
      clearTimeout(timer)
      resolve({ exitCode: exitCode ?? undefined, output: chunks.join("") })
    })
  })

const runTests = async (
  copy: string,
  tests: ReadonlyArray<string>,
  ...options: ReadonlyArray<string>
): Promise<Outcome> => {
  const reportFile = path.join(copy, "mutant-report.json")
  rmSync(reportFile, { force: true })
  // System and torture tests run the built program.
  if (tests.some(test => /^test\/(system|torture)\//.test(test))) {
    const built = await run(copy, "npm", ["run", "build"])
    if (built.exitCode !== 0) return { ...built, report: undefined }
  }
  const vitest = path.join(root, "node_modules/.bin/vitest")
  const words = ["run", ...tests, "--reporter=json", `--outputFile=${reportFile}`, ...options]
  const { exitCode, output } = await run(copy, vitest, words)
  return {
    exitCode,
    output,
    report: existsSync(reportFile) ? (JSON.parse(readFileSync(reportFile, "utf8")) as Report) : undefined
  }
}

const titles = (outcome: Outcome, status: string): ReadonlyArray<string> =>
  (outcome.report?.testResults ?? []).flatMap(({ assertionResults }) =>
    assertionResults.filter(test => test.status === status).map(test => test.fullName)
  )

const tail = (text: string): string => text.trimEnd().split("\n").slice(-15).join("\n")

/** Why the named tests do not pass on the copy as it is, by test file. */
const control = async (copy: string, tests: ReadonlyArray<string>): Promise<ReadonlyMap<string, string>> => {
  const problems = new Map<string, string>()
  const present = tests.filter(test => existsSync(path.join(copy, test)))
  if (present.length === 0) return problems
  const outcome = await runTests(copy, present)
  for (const test of present) {
    const results = outcome.report?.testResults.find(({ name }) => name.endsWith(`/${test}`))?.assertionResults ?? []
    const failed = results.filter(({ status }) => status === "failed")
    if (failed.length > 0) problems.set(test, `fails unpatched: ${failed[0]?.fullName}`)
    else if (!results.some(({ status }) => status === "passed")) {
      problems.set(test, `no test of it passes unpatched\n${tail(outcome.output)}`)
    }
  }
  if (outcome.exitCode !== 0 && problems.size === 0) {
    for (const test of present) problems.set(test, `vitest fails on the unpatched copy\n${tail(outcome.output)}`)
  }
  return problems
}

type Verdict = { readonly caughtBy: string } | { readonly problem: string }

const judge = async (copy: string, mutant: Mutant, controls: ReadonlyMap<string, string>): Promise<Verdict> => {
  if (mutant.breaks === undefined) return { problem: "has no line `# breaks: …`" }
  if (mutant.tests.length === 0) return { problem: "has no line `# test: …`" }
  for (const test of mutant.tests) {
    if (!existsSync(path.join(copy, test))) return { problem: `names ${test}, which does not exist` }
    const broken = controls.get(test)
    if (broken !== undefined) return { problem: `${test} ${broken}` }
  }
  const applied = apply(copy, mutant)
  if (applied.status !== 0) return { problem: `no longer applies\n${applied.stderr.trimEnd()}` }
  const outcome = await runTests(copy, mutant.tests, "--bail=1")
  apply(copy, mutant, "--reverse")
  const [caughtBy] = titles(outcome, "failed")
  if (caughtBy !== undefined) return { caughtBy }
  if (outcome.exitCode === 0) return { problem: "SURVIVES" }
  return { problem: `no test caught it, it broke the run (exit ${outcome.exitCode})\n${tail(outcome.output)}` }
}

const main = async (): Promise<void> => {
  const wanted = process.argv.slice(2)
  const mutants = readdirSync(mutantsDirectory)
    .filter(name => name.endsWith(".patch"))
    .sort()
    .map(readMutant)
    .filter(({ name }) => wanted.length === 0 || wanted.some(part => name.includes(part)))
  if (mutants.length === 0) {
    console.error("no such mutant")
    process.exitCode = 1
    return
  }

  const copy = copyRepository()
  let failed = 0
  try {
    const controls = await control(copy, [...new Set(mutants.flatMap(({ tests }) => tests))].sort())
    for (const mutant of mutants) {
      const verdict = await judge(copy, mutant, controls)
      if ("caughtBy" in verdict)
        console.log(`caught  ${mutant.name} (${mutant.breaks})\n        by "${verdict.caughtBy}"`)
      else {
        failed += 1
        console.log(`FAILED  ${mutant.name}: ${verdict.problem}`)
      }
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  console.log(`${mutants.length - failed} mutants caught, ${failed} failed`)
  if (failed > 0) process.exitCode = 1
}

await main()
